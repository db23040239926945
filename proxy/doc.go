// Package proxy is the filter that everything a sandboxed command sends passes
// through, or does not leave.
//
// A [Server] serves listeners that the caller made, mostly inside the
// sandbox's network namespace:
//
//   - [Server.ServeProxy]: HTTP forward requests, CONNECT and SOCKS5 on one
//     port, told apart by the first byte;
//   - [Server.ServeTransparent]: TCP to any address and port, for programs
//     that know nothing of a proxy;
//   - [Server.ServeDNS] and [Server.ServeDNSTCP]: DNS that answers allowed
//     names with synthetic addresses, so that a transparent connection still
//     carries its name. Nobody outside is asked for addresses; for the other
//     records of an allowed name the host's name servers are.
//
// Every connection takes the same way, and a step is never skipped:
//
//	parse to a target -> admit: rule on name and port, then ask -> resolve once
//	-> guard on every address -> dial an address that passed -> preread (TLS
//	server name, HTTP Host) -> with TLS and Rules, each request inside -> relay
//
// A target is a name, an address or the host's loopback, decided once where it
// enters (target.go). All ways in ask the same admit (decide.go); what a way does
// where the rules are silent is its door (door.go).
//
// A name that is denied is never resolved. The address that was checked is the
// address that is dialled. Whatever is refused is reported once as a [Denial].
//
// This package is the flow: what parses hostile bytes, or needs to know of no
// connection but the one in hand, is in the packages below internal, which import
// policy and nothing of this one. What the steps share is a filter (filter.go), made
// once; each step has of it what it needs. From the outside in: the doors
// (explicit.go, socks.go, transparent.go, forward.go, publish.go, dnsserve.go) ->
// session -> tunnel, which prereads, and terminates TLS -> http and http2, requests
// one by one -> exchange, one request and its response -> origin, the connections to
// servers -> dial. None of them knows of one before it.
//
// The package prints nothing, reads no flags, files or environment, and does
// no work before the first connection. (The system's certificate authorities,
// where Config.TLS names none, are read by crypto/x509, and resolv.conf, where
// Config.NameServers is nil, by those who resolve names.)
//
// # Limitations
//
// The server name is checked in a TLS ClientHello that opens the stream. TLS
// that starts later (STARTTLS in smtp or imap, the SSLRequest of postgres) is
// relayed unseen, and so is a renegotiation of TLS 1.2, which is encrypted. A
// hello without a server name is passed unless Strict; so is
// one whose true name is encrypted (ECH), of which only the outer name is
// seen.
//
// A stream whose first byte is that of a TLS record is refused when it is not
// TLS, unless the server spoke first, and so is one whose first line contains
// "http/" behind a space and is no request line. What may yet become a request line
// goes out as it comes: a server sees the beginning of one that is refused, and
// never its end. One for a host of which Rules speak is held back, for 3 s at most.
//
// HTTP/2 in the clear that is begun by an upgrade is not passed on, nor is any other
// upgrade than to websocket and raw tcp. Towards an address HTTP/2 in the clear is
// looked at only where Rules speak of it.
//
// Inside TLS that is terminated (Config.TLS) both sides speak the protocol that the
// server chose. Certificates of clients are not passed on, session tickets not
// given out, and websockets over HTTP/2 (RFC 8441) not offered. Rules see the
// method, path and host of a request, and no query, header or body, but for the
// fields that some servers take for a method or path.
//
// Behind a custom or corporate proxy that proxy resolves the names: the guard
// then sees only addresses that the command named itself.
package proxy
