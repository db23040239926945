// Package fakedns is a name server that asks nobody: it parses queries, builds
// replies, and gives names synthetic addresses, by which a connection that
// carries no name is told whose it is. Of what a name server outside answers to a
// question that is no question for an address, [Passable] tells what may go inside.
//
//	reply := fakedns.Reply(query, stream, func(q dnsmessage.Question) fakedns.Answer {
//		a4, a6, _ := table.Assign(host) // of q.Name, once it is allowed
//		return fakedns.Answer{Addrs: fakedns.OfType(q.Type, a4, a6), TTL: 10}
//	})
//	…
//	host, ok := table.Lookup(destination)
//
// Every byte of a query is hostile. The parser is x/net's dnsmessage; what it
// does not take gets FORMERR or nothing. What is answered, and whether a name
// may be, is the caller's.
//
// # Limitations
//
// One question a message (RFC 9619). No record types of its own but A, AAAA and PTR; no
// DNSSEC: a resolver that validates refuses these answers. A [Table] has room
// for 65,536 names and forgets none.
package fakedns
