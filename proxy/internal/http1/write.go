package http1

import (
	"bufio"
	"net/http"
	"strconv"
)

// WriteStatus writes a status line of HTTP/1.1; an empty reason is the usual
// one. An error stays in bw until it is flushed, here and below.
func WriteStatus(bw *bufio.Writer, status int, reason string) {
	if reason == "" {
		reason = http.StatusText(status)
	}
	bw.WriteString("HTTP/1.1 ")
	bw.WriteString(strconv.Itoa(status))
	bw.WriteByte(' ')
	bw.WriteString(reason)
	bw.WriteString("\r\n")
}

// Write writes the fields as they are, each in a line.
func (f Fields) Write(bw *bufio.Writer) {
	for _, line := range f {
		WriteField(bw, line.Name, line.Value)
	}
}

// WriteField writes one field. Its value must be one line: see OneLine.
func WriteField(bw *bufio.Writer, name, value string) {
	bw.WriteString(name)
	bw.WriteString(": ")
	bw.WriteString(value)
	bw.WriteString("\r\n")
}
