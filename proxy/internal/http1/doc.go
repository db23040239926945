// Package http1 reads and writes HTTP/1 as a filter has to: what two servers
// could read in two ways is refused, not repaired.
//
//   - [ReadHead] reads a request head by RFC 9112, strictly: CRLF alone, no
//     folding, no control bytes, one Host, one length. [Head] says where the
//     body ends beyond doubt.
//   - [Fields] are a head's lines as they came, and [Fields.EndToEnd] those that
//     are for the other side.
//   - [SplitAbsolute], [ParseAuthority] and [RequestPath] read what a request
//     says of its server and path.
//   - [Classify] tells by the first bytes of a stream whether some server would
//     take it for HTTP, however lenient, or for TLS; [Line] goes on where the first
//     line is too long to be kept, and [Begins] tells what of it may go out early.
//   - [ReadTrailers], [NewChunkWriter] and [EndChunks] are what a chunked body
//     has beside net/http/httputil.NewChunkedReader, so that no oddity of one
//     side's framing reaches the other.
//
// The package makes no connection and decides nothing. A refusal is a
// [*BadRequest], with the status and one line for the client.
//
// # Limitations
//
// Requests alone: responses are net/http's to read. No transfer coding but
// chunked, no HTTP/0.9, no obsolete line folding. Bodies are not looked at.
package http1
