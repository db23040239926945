package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"srun/proxy/internal/oneline"
)

// head is a request head that passed the strict reading of RFC 9112: what two
// servers could read in two ways was refused, not repaired.
type head struct {
	method string
	target string // as sent
	minor  int    // of HTTP/1.x
	fields fields // as sent, without Host and those that frame the body
	host   string // the Host field's value
	hosts  int    // how many there were
	length int64  // Content-Length, -1 for chunked

	sentLength bool // there was a Content-Length, be it 0
}

// badRequest is a head that is refused, with the status that says why.
type badRequest struct {
	status int
	text   string
}

func (e *badRequest) Error() string { return e.text }

func bad(format string, args ...any) error {
	return &badRequest{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// readHead reads one request head. An error that is no *badRequest is the
// connection's; io.EOF means that the client was done.
func readHead(br *bufio.Reader) (*head, error) {
	left := maxHead
	line, err := readLine(br, &left)
	if err != nil {
		return nil, err
	}
	h := &head{}
	if err := h.parseRequestLine(line); err != nil {
		return nil, err
	}
	for {
		line, err := readLine(br, &left)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		if err := h.parseField(line); err != nil {
			return nil, err
		}
	}
	return h, h.checkFraming()
}

// readLine reads a line that ends in CRLF, and nothing else, within what is
// left of the head's bytes.
func readLine(br *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return "", &badRequest{http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the request head is longer than %d bytes", maxHead)}
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if err != bufio.ErrBufferFull {
			if err == io.EOF && len(line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return "", bad("a line ends in a bare LF")
	}
	if i := strings.IndexFunc(text, isForbidden); i >= 0 {
		return "", bad("byte 0x%02x in the request head", text[i])
	}
	return text, nil
}

// isForbidden reports the control bytes that RFC 9110 section 5.5 keeps out of
// a head, a bare CR among them.
func isForbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func (h *head) parseRequestLine(line string) error {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[1] == "" || tokenLength([]byte(parts[0])) != len(parts[0]) || parts[0] == "" {
		return bad("not an HTTP request line: %s", oneline.Quote(line))
	}
	h.method, h.target = parts[0], parts[1]
	switch parts[2] {
	case "HTTP/1.1":
		h.minor = 1
	case "HTTP/1.0":
	default:
		return &badRequest{http.StatusHTTPVersionNotSupported, "not HTTP/1.0 or HTTP/1.1: " + oneline.Quote(parts[2])}
	}
	if strings.ContainsRune(h.target, '\t') {
		return bad("a tab in the request target")
	}
	return nil
}

func (h *head) parseField(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		return bad("a header field is folded over two lines")
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || tokenLength([]byte(name)) != len(name) {
		return bad("not a header field: %s", oneline.Quote(line))
	}
	value = strings.Trim(value, " \t")
	if strings.EqualFold(name, "Host") {
		h.host = value
		h.hosts++
		return nil
	}
	h.fields = append(h.fields, field{name, value})
	return nil
}

// checkFraming settles where the body ends, which must be beyond doubt.
func (h *head) checkFraming() error {
	lengths, codings := h.fields.values("Content-Length"), h.fields.values("Transfer-Encoding")
	h.fields = h.fields.without("Content-Length", "Transfer-Encoding")
	switch {
	case h.hosts > 1:
		return bad("%d Host fields", h.hosts)
	case h.hosts == 0 && h.minor == 1:
		return bad("no Host field")
	case len(codings) > 0 && len(lengths) > 0:
		return bad("both Content-Length and Transfer-Encoding")
	case len(codings) > 0:
		if len(codings) > 1 || !strings.EqualFold(codings[0], "chunked") || h.minor == 0 {
			return &badRequest{http.StatusNotImplemented, "a Transfer-Encoding other than chunked"}
		}
		h.length = -1
	case len(lengths) > 1:
		return bad("%d Content-Length fields", len(lengths))
	case len(lengths) == 1:
		return h.parseLength(lengths[0])
	}
	return nil
}

func (h *head) parseLength(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] < '0' || s[0] > '9' {
		return bad("Content-Length %s", oneline.Quote(s))
	}
	h.length, h.sentLength = n, true
	return nil
}

// keepsAlive reports whether the client wants to use the connection again.
func (h *head) keepsAlive() bool {
	if h.fields.lists("Connection", "close") || h.fields.lists("Proxy-Connection", "close") {
		return false
	}
	return h.minor == 1 || h.fields.lists("Connection", "keep-alive") || h.fields.lists("Proxy-Connection", "keep-alive")
}

// isBad returns the refusal of a head, if that is what err is.
func isBad(err error) (*badRequest, bool) { return errors.AsType[*badRequest](err) }
