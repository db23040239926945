// Package tlshello reads the TLS ClientHello that opens a stream, before it is
// known where the stream may go, and gives every byte back.
//
//	hello, read, err := tlshello.Peek(conn, preread)
//	// hold hello.ServerName against what is allowed, then send read on
//
// The hello is parsed by crypto/tls, so that what is checked is what Go's
// servers see. A server of TLS 1.3 may ask for a second one (HelloRetryRequest,
// RFC 8446 section 4.1.4): [IsRetry] tells by the server's first bytes, [End] and
// [SkipToHello] find the second hello between records.
//
// # Limitations
//
// With Encrypted ClientHello (RFC 9849) the name read is the outer one;
// Hello.Encrypted tells. A hello after the first bytes of a stream (STARTTLS)
// and a renegotiation are not seen. Another parser than crypto/tls may read a
// malformed hello in another way: what crypto/tls refuses is refused here.
package tlshello
