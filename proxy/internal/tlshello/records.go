package tlshello

import (
	"bytes"
	"errors"
	"io"
)

// retryRandom marks a ServerHello as a HelloRetryRequest: it is the SHA-256 of
// that word, RFC 8446 section 4.1.3.
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// Where the random lies in a stream that a ServerHello opens: behind the
// headers of record and message and the version.
const (
	randomAt = RecordHeader + 4 + 2

	// RetryPrefix is how many bytes of a server tell whether it is a retry.
	RetryPrefix = randomAt + 32
)

// RecordHeader is the length of a record's header, in bytes: type, version and
// the length of what follows.
const RecordHeader = 5

// IsRetry judges a server's first bytes: whether they are a HelloRetryRequest,
// upon which the client sends a second hello in the clear. sure is false while
// more are needed, RetryPrefix bytes at most.
func IsRetry(b []byte) (retry, sure bool) {
	switch {
	case len(b) > 0 && b[0] != 0x16, len(b) > 5 && b[5] != 2:
		return false, true // no handshake record, no ServerHello
	case len(b) < RetryPrefix:
		return false, false
	}
	return bytes.Equal(b[randomAt:RetryPrefix], retryRandom), true
}

// End is where the record ends that completes the ClientHello in b, which was
// read whole; len(b) when none does.
func End(b []byte) int {
	var message []byte
	for at := 0; at+RecordHeader <= len(b); {
		end := min(at+RecordHeader+int(b[at+3])<<8+int(b[at+4]), len(b))
		if b[at] == 0x16 {
			message = append(message, b[at+RecordHeader:end]...)
		}
		if len(message) >= 4 && len(message)-4 >= int(message[1])<<16|int(message[2])<<8|int(message[3]) {
			return end
		}
		at = end
	}
	return len(b)
}

// SkipToHello reads the records that may precede a second hello,
// change_cipher_spec and early data, and the header of the next. It returns all
// it read, of MaxSize bytes and a record at most; the header is its end.
func SkipToHello(in io.Reader) ([]byte, error) {
	var read []byte
	for len(read) < MaxSize {
		var header [RecordHeader]byte
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return nil, err
		}
		read = append(read, header[:]...)
		if header[0] != 0x14 && header[0] != 0x17 {
			return read, nil
		}
		body := make([]byte, int(header[3])<<8|int(header[4]))
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, err
		}
		read = append(read, body...)
	}
	return nil, errors.New("no second ClientHello")
}
