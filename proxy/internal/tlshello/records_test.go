package tlshello

import (
	"bytes"
	"crypto/sha256"
	"io"
	"slices"
	"testing"
)

func serverHello(random [32]byte) []byte {
	return append([]byte{0x16, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3}, random[:]...)
}

func TestIsRetry(t *testing.T) {
	retry, other := serverHello(sha256.Sum256([]byte("HelloRetryRequest"))), serverHello([32]byte{1})
	if len(retry) != RetryPrefix {
		t.Fatalf("%d bytes", len(retry))
	}
	for name, test := range map[string]struct {
		b           []byte
		retry, sure bool
	}{
		"retry":       {retry, true, true},
		"with more":   {append(slices.Clone(retry), 1, 2, 3), true, true},
		"cut short":   {retry[:RetryPrefix-1], false, false},
		"nothing":     {nil, false, false},
		"another":     {other, false, true},
		"an alert":    {[]byte{0x15}, false, true},
		"certificate": {[]byte{0x16, 3, 3, 0, 90, 11}, false, true},
	} {
		if retry, sure := IsRetry(test.b); retry != test.retry || sure != test.sure {
			t.Errorf("%s: %v, %v", name, retry, sure)
		}
	}
}

func TestEnd(t *testing.T) {
	hello := goHello(t, "example.com")
	for _, size := range []int{len(hello), 40, 7} {
		cut := cutRecords(hello, size)
		behind := append(slices.Clone(cut), 0x14, 3, 3, 0, 1, 1)
		if got := End(behind); got != len(cut) {
			t.Errorf("in records of %d: %d, want %d", size, got, len(cut))
		}
	}
	if got := End(hello[:20]); got != 20 {
		t.Errorf("cut short: %d", got)
	}
}

func TestSkipToHello(t *testing.T) {
	before := []byte{0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 2, 8, 9}
	in := bytes.NewReader(append(slices.Clone(before), 0x16, 3, 3, 0, 5, 1))
	read, err := SkipToHello(in)
	if err != nil || !bytes.Equal(read, append(before, 0x16, 3, 3, 0, 5)) || in.Len() != 1 {
		t.Errorf("% x, %v, %d left", read, err, in.Len())
	}
	if _, err := SkipToHello(bytes.NewReader(before[:9])); err != io.ErrUnexpectedEOF {
		t.Errorf("cut short: %v", err)
	}
	early := bytes.Repeat(append([]byte{0x17, 3, 3, 4, 0}, make([]byte, 1024)...), 100)
	if read, err := SkipToHello(bytes.NewReader(early)); err == nil || len(read) > MaxSize+RecordHeader+1024 {
		t.Errorf("early data without end: %d bytes, %v", len(read), err)
	}
}

func TestEncrypted(t *testing.T) {
	hello := extended(goHello(t, "outer.test"), extensionECH, []byte{0, 0, 1, 0, 1, 7, 0, 0, 0, 0})
	h, read, err := Peek(&scripted{data: hello}, nil)
	if err != nil || !h.Encrypted || h.ServerName != "outer.test" || !bytes.Equal(read, hello) {
		t.Errorf("%+v, %v", h, err)
	}
}

// Whatever the records are, positions stay within them and nothing is made up.
func FuzzRecords(f *testing.F) {
	hello := goHello(f, "example.com")
	f.Add(hello)
	f.Add(cutRecords(hello, 9))
	f.Add(append([]byte{0x14, 3, 3, 0, 1, 1}, hello...))
	f.Add(serverHello(sha256.Sum256([]byte("HelloRetryRequest"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if end := End(b); end < 0 || end > len(b) {
			t.Errorf("end %d of %d", end, len(b))
		}
		if read, err := SkipToHello(bytes.NewReader(b)); err == nil && (!bytes.HasPrefix(b, read) || len(read) < RecordHeader) {
			t.Errorf("% x of % x", read, b)
		}
		if retry, sure := IsRetry(b); retry && !sure || !sure && len(b) >= RetryPrefix {
			t.Errorf("% x: %v, %v", b, retry, sure)
		}
	})
}
