// Package origdst finds where something was going that the network brought
// here instead: a TCP connection that was redirected or that a local route to
// everything delivered, and a UDP query sent to any address.
//
// [Of] asks the kernel for the original destination of a connection. A UDP
// socket that went through [TellDestination] reports with each datagram the
// address that it was sent to, in a control message; [ReplyFrom] turns that
// into the control message of a reply that leaves from there.
//
// # Limitations
//
// Only Linux tells; elsewhere [Supported] and [TellDestination] fail with a
// sentence. Netfilter remembers a redirect in the network namespace of the
// socket alone. A destination is what the client chose, and nothing says that
// it is an address which may be dialled.
package origdst
