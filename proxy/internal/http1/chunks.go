package http1

import (
	"bufio"
	"io"
	"strconv"
)

// chunkWriter writes each piece as a chunk (RFC 9112 section 7.1). It does not
// flush, and does not end the body: EndChunks does.
type chunkWriter struct{ bw *bufio.Writer }

// NewChunkWriter returns a writer of which each Write is a chunk in bw.
func NewChunkWriter(bw *bufio.Writer) io.Writer { return chunkWriter{bw} }

func (w chunkWriter) Write(b []byte) (int, error) {
	w.bw.WriteString(strconv.FormatInt(int64(len(b)), 16))
	w.bw.WriteString("\r\n")
	w.bw.Write(b)
	_, err := w.bw.WriteString("\r\n")
	return len(b), err
}

// EndChunks writes the last chunk and the trailers behind it.
func EndChunks(bw *bufio.Writer, trailers Fields) {
	bw.WriteString("0\r\n")
	trailers.Write(bw)
	bw.WriteString("\r\n")
}

// ReadTrailers reads the fields behind the last chunk, of MaxHead bytes at most,
// strictly as a head's. Those that could pass for a head's are dropped, RFC 9110
// section 6.5.1. The connection's end is io.ErrUnexpectedEOF here.
func ReadTrailers(br *bufio.Reader) (Fields, error) {
	left := MaxHead
	h := &Head{}
	for {
		line, err := readLine(br, &left)
		switch {
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case line == "":
			return h.Fields.EndToEnd(), nil
		}
		if err := h.parseField(line); err != nil {
			return nil, err
		}
	}
}
