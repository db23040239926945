package tlshello

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"reflect"
	"slices"
	"testing"
	"time"
)

// goHello is the bytes that Go's client begins with.
func goHello(t testing.TB, name string) []byte {
	client, server := net.Pipe()
	go tls.Client(client, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	defer client.Close()
	buf := make([]byte, 16<<10)
	n, err := server.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// cutRecords puts the message of one TLS record into records of size bytes.
func cutRecords(record []byte, size int) (out []byte) {
	for body := record[5:]; len(body) > 0; {
		n := min(size, len(body))
		out = append(append(out, record[0], record[1], record[2], byte(n>>8), byte(n)), body[:n]...)
		body = body[n:]
	}
	return out
}

// extended adds an extension to a hello that is one record.
func extended(record []byte, kind uint16, body []byte) []byte {
	b := bytes.Clone(record)
	at := 5 + 4 + 2 + 32
	at += 1 + int(b[at])
	at += 2 + int(b[at])<<8 + int(b[at+1])
	at += 1 + int(b[at])
	added := append([]byte{byte(kind >> 8), byte(kind), byte(len(body) >> 8), byte(len(body))}, body...)
	for _, length := range []int{3, 7, at} { // of record, message and extensions
		n := int(b[length])<<8 + int(b[length+1]) + len(added)
		b[length], b[length+1] = byte(n>>8), byte(n)
	}
	return slices.Insert(b, at+2, added...)
}

func BenchmarkPeek(b *testing.B) {
	hello := goHello(b, "example.com")
	b.ReportAllocs()
	for b.Loop() {
		if h, _, err := Peek(&scripted{}, hello); err != nil || h.ServerName != "example.com" {
			b.Fatal(h, err)
		}
	}
}

// Peeking ends, keeps every byte, and sees what crypto/tls sees however the
// stream is cut.
func FuzzHello(f *testing.F) {
	hello := goHello(f, "example.com")
	f.Add(hello, 1)
	f.Add(cutRecords(hello, 9), 5)
	f.Add(hello[:60], 3)
	f.Add([]byte{0x15, 3, 1, 0, 2, 1, 0}, 1)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		whole, read, err := Peek(&scripted{data: raw}, nil)
		if !bytes.HasPrefix(raw, read) {
			t.Errorf("read % x of % x", read, raw)
		}
		n := min(max(cut, 0), len(raw))
		split, _, errSplit := Peek(&scripted{data: raw[n:], step: 1 + n%7}, bytes.Clone(raw[:n]))
		if !reflect.DeepEqual(whole, split) || (err == nil) != (errSplit == nil) {
			t.Errorf("%+v %v; split at %d: %+v %v", whole, err, n, split, errSplit)
		}
	})
}

// scripted is a connection that sends data and then ends.
type scripted struct {
	net.Conn
	data []byte
	step int
}

func (s *scripted) Read(b []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	if s.step > 0 {
		b = b[:min(len(b), s.step)]
	}
	n := copy(b, s.data)
	s.data = s.data[n:]
	return n, nil
}

func (s *scripted) SetReadDeadline(time.Time) error { return nil }
func (s *scripted) Close() error                    { return nil }
