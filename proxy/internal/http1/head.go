package http1

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

// MaxHead bounds a request line with its headers, in bytes: 431 beyond it. It
// bounds as well what is kept of a stream's first line to find out what it is.
const MaxHead = 64 << 10

// Head is a request head that passed the strict reading of RFC 9112: what two
// servers could read in two ways was refused, not repaired.
type Head struct {
	Method string
	Target string // as sent
	Minor  int    // of HTTP/1.x, 0 or 1
	Fields Fields // as sent, without Host and those that frame the body
	Host   string // the Host field's value
	Hosts  int    // how many there were
	Length int64  // of the body in bytes: Content-Length, -1 for chunked

	SentLength bool // there was a Content-Length, be it 0
}

// BadRequest is a head that is refused, with the status that says why. Text is
// one line for the client, with what the client sent quoted.
type BadRequest struct {
	Status  int
	Text    string
	Foreign bool // not so much as the shape of a request line: the client may speak no HTTP
}

// Error returns the text.
func (e *BadRequest) Error() string { return e.Text }

// Bad is a BadRequest of status 400.
func Bad(format string, args ...any) error {
	return &BadRequest{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...)}
}

// ReadHead reads one request head, of MaxHead bytes at most. An error that is no
// *BadRequest is the connection's; io.EOF means that the client was done.
func ReadHead(br *bufio.Reader) (*Head, error) {
	left := MaxHead
	raw, err := readRaw(br, &left)
	if bad, ok := IsBad(err); ok {
		bad.Foreign = true
	}
	if err != nil {
		return nil, err
	}
	if !hasShape(raw) {
		text := "not an HTTP request line: " + oneline.Quote(strings.TrimRight(raw, "\r\n"))
		return nil, &BadRequest{Status: http.StatusBadRequest, Text: text, Foreign: true}
	}
	line, err := checkLine(raw)
	if err != nil {
		return nil, err
	}
	h := &Head{}
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
	raw, err := readRaw(br, left)
	if err != nil {
		return "", err
	}
	return checkLine(raw)
}

// readRaw reads a line with what ends it.
func readRaw(br *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			text := fmt.Sprintf("the request head is longer than %d bytes", MaxHead)
			return "", &BadRequest{Status: http.StatusRequestHeaderFieldsTooLarge, Text: text}
		}
		line = append(line, part...)
		if err == nil {
			return string(line), nil
		}
		if err != bufio.ErrBufferFull {
			if err == io.EOF && len(line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
}

// checkLine takes the CRLF off.
func checkLine(raw string) (string, error) {
	text, ok := strings.CutSuffix(raw, "\r\n")
	if !ok {
		return "", Bad("a line ends in a bare LF")
	}
	if i := strings.IndexFunc(text, isForbidden); i >= 0 {
		return "", Bad("byte 0x%02x in the request head", text[i])
	}
	return text, nil
}

// isForbidden reports the control bytes that RFC 9110 section 5.5 keeps out of
// a head, a bare CR among them.
func isForbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func (h *Head) parseRequestLine(line string) error {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[1] == "" || !IsToken(parts[0]) {
		return Bad("not an HTTP request line: %s", oneline.Quote(line))
	}
	h.Method, h.Target = parts[0], parts[1]
	switch parts[2] {
	case "HTTP/1.1":
		h.Minor = 1
	case "HTTP/1.0":
	default:
		return &BadRequest{Status: http.StatusHTTPVersionNotSupported, Text: "not HTTP/1.0 or HTTP/1.1: " + oneline.Quote(parts[2])}
	}
	if strings.ContainsRune(h.Target, '\t') {
		return Bad("a tab in the request target")
	}
	return nil
}

func (h *Head) parseField(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		return Bad("a header field is folded over two lines")
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !IsToken(name) {
		return Bad("not a header field: %s", oneline.Quote(line))
	}
	value = strings.Trim(value, " \t")
	if strings.EqualFold(name, "Host") {
		h.Host = value
		h.Hosts++
		return nil
	}
	h.Fields = append(h.Fields, Field{name, value})
	return nil
}

// checkFraming settles where the body ends, which must be beyond doubt.
func (h *Head) checkFraming() error {
	lengths, codings := h.Fields.Values("Content-Length"), h.Fields.Values("Transfer-Encoding")
	h.Fields = h.Fields.Without("Content-Length", "Transfer-Encoding")
	switch {
	case h.Hosts > 1:
		return Bad("%d Host fields", h.Hosts)
	case h.Hosts == 0 && h.Minor == 1:
		return Bad("no Host field")
	case len(codings) > 0 && len(lengths) > 0:
		return Bad("both Content-Length and Transfer-Encoding")
	case len(codings) > 0:
		if len(codings) > 1 || !strings.EqualFold(codings[0], "chunked") || h.Minor == 0 {
			return &BadRequest{Status: http.StatusNotImplemented, Text: "a Transfer-Encoding other than chunked"}
		}
		h.Length = -1
	case len(lengths) > 1:
		return Bad("%d Content-Length fields", len(lengths))
	case len(lengths) == 1:
		return h.parseLength(lengths[0])
	}
	return nil
}

func (h *Head) parseLength(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] < '0' || s[0] > '9' {
		return Bad("Content-Length %s", oneline.Quote(s))
	}
	h.Length, h.SentLength = n, true
	return nil
}

// KeepsAlive reports whether the client wants to use the connection again (RFC
// 9112 section 9.3).
func (h *Head) KeepsAlive() bool {
	if h.Fields.Lists("Connection", "close") || h.Fields.Lists("Proxy-Connection", "close") {
		return false
	}
	return h.Minor == 1 || h.Fields.Lists("Connection", "keep-alive") || h.Fields.Lists("Proxy-Connection", "keep-alive")
}

// IsBad returns the refusal of a head, if that is what err is.
func IsBad(err error) (*BadRequest, bool) { return errors.AsType[*BadRequest](err) }
