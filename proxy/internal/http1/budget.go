package http1

import (
	"errors"
	"io"
)

// MaxResponseHead bounds a server's response head, in bytes.
const MaxResponseHead = 256 << 10

// BudgetReader bounds what is read while a response's head is read.
type BudgetReader struct {
	R    io.Reader
	Left int64
}

var errLongHead = errors.New("the server's response head is too long")

func (b *BudgetReader) Read(p []byte) (int, error) {
	if b.Left <= 0 {
		return 0, errLongHead
	}
	n, err := b.R.Read(p[:min(int64(len(p)), b.Left)])
	b.Left -= int64(n)
	return n, err
}
