// Package socks5 speaks SOCKS5 (RFC 1928) on connections that others made: as a
// server to clients, with [Greet], [ReadRequest] and [WriteReply], and as a
// client to a server that leads on, with [Connect].
//
// Every byte of the other side is hostile. A name is passed on as it came: it may
// be anything of up to 255 bytes.
//
// # Limitations
//
// CONNECT alone: no BIND, no UDP ASSOCIATE. Of authentication there is none as a
// server, and a user name with password (RFC 1929) as a client. No deadlines: they
// are the connection's.
package socks5
