// Package stub is a stub resolver: it puts one question to the name servers of the
// host, outside the sandbox, and gives back what they answer.
//
//	r := stub.New(nil) // the servers of /etc/resolv.conf
//	reply, err := r.Ask(ctx, "_imap._tcp.example.com", dnsmessage.TypeSRV)
//
// A question goes over UDP and, where the answer does not fit, over TCP. Each has a
// random id and a socket of its own, so a random port; what is no answer to it, by
// server, id, name and type, is dropped. All of it takes [Timeout] at most, and no more
// than a bounded number are under way at once. Names are asked in lower case: their
// case carries nothing out.
//
// What may be asked, and what of an answer is passed on, is the caller's.
//
// # Limitations
//
// Of resolv.conf, the name servers alone: names are asked as they are, without a search
// domain, and what a host resolves by other means (/etc/hosts, mDNS) is not known here.
// No DNSSEC: the host's server is trusted, and the way to it as much as its own users
// trust it. No cache.
package stub
