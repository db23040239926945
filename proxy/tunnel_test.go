package proxy

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
	"srun/proxy/internal/tlshello"
)

var testCert = sync.OnceValue(func() tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// tlsServer answers each connection with the server name it was asked for.
func tlsServer(conn net.Conn) {
	defer conn.Close()
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{testCert()}})
	if secure.Handshake() == nil {
		fmt.Fprintf(secure, "you want %q", secure.ConnectionState().ServerName)
	}
}

// hello is a handshake through conn that returns what the server said.
func handshake(conn net.Conn, name string) (string, error) {
	secure := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		return "", err
	}
	b, err := io.ReadAll(secure)
	return string(b), err
}

func TestServerName(t *testing.T) {
	strict := func(c *Config) { c.Strict = true }
	for _, test := range []struct {
		target, sni string
		change      func(*Config)
		reason      string // "" passes
	}{
		{"example.com:443", "example.com", nil, ""},
		{"example.com:443", "EXAMPLE.com", nil, ""},
		{"example.com:443", "other.com", nil, "TLS server name other.com is not the allowed name example.com"},
		{"example.com:443", "a.example.com", nil, "TLS server name a.example.com is not the allowed name example.com"},
		{"example.com:443", "", nil, ""},
		{"example.com:443", "", strict, "TLS without a server name, which strictAllowlist refuses"},
		{"198.51.100.7:443", "", nil, ""},
		{"198.51.100.7:443", "", strict, ""},
		{"198.51.100.7:443", "other.com", nil, ""},
		{"198.51.100.7:443", "evil.test", nil, "TLS server name evil.test is not the allowed name 198.51.100.7"},
		{"198.51.100.7:443", "bad.test", nil, "TLS server name bad.test is not the allowed name 198.51.100.7"},
	} {
		change := test.change
		if change == nil {
			change = func(*Config) {}
		}
		w := newWorld(t, "example.com other.com 198.51.100.7 bad.test", "bad.test", change)
		w.serve("example.com", "198.51.100.7", 443, tlsServer)
		got, err := handshake(w.tunnel(test.target), test.sni)
		if test.reason == "" {
			if want := fmt.Sprintf("you want %q", strings.TrimSuffix(strings.ToLower(test.sni), ".")); strings.ToLower(got) != want {
				t.Errorf("%s, SNI %q: %q, %v", test.target, test.sni, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s, SNI %q: %q, %v", test.target, test.sni, got, err)
		}
		d := w.wantDenials(1)[0]
		if d.Reason != test.reason || d.Code != CodeSNIMismatch {
			t.Errorf("%s, SNI %q: %s (%s)", test.target, test.sni, d.Reason, d.Code)
		}
	}
}

// clientHello is the bytes that Go's client begins with.
func clientHello(t testing.TB, name string) []byte {
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

// A hello may come byte by byte, and its message split over many records.
func TestSplitHello(t *testing.T) {
	hello := clientHello(t, "example.com")
	w := newWorld(t, "example.com other.com", "")
	w.serve("example.com", "198.51.100.1", 443, echo)
	w.serve("other.com", "198.51.100.2", 443, echo)
	for name, send := range map[string]func(io.Writer){
		"at once": func(c io.Writer) { c.Write(hello) },
		"bytes":   func(c io.Writer) { writePieces(c, hello, 1) },
		"records": func(c io.Writer) { c.Write(splitRecords(hello, 7)) },
		"both":    func(c io.Writer) { writePieces(c, splitRecords(hello, 40), 13) },
	} {
		conn := w.tunnel("example.com:443")
		go send(conn)
		if got := readN(conn, len(hello)); len(got) < len(hello) {
			t.Errorf("%s: %d bytes came back", name, len(got))
		}
		refused := w.tunnel("other.com:443")
		go send(refused)
		if got := readN(refused, 16); !bytes.Equal(got, tlshello.UnrecognizedName) {
			t.Errorf("%s: refused with % x", name, got)
		}
	}
}

func writePieces(c io.Writer, b []byte, size int) {
	for len(b) > 0 {
		n := min(size, len(b))
		c.Write(b[:n])
		b = b[n:]
		if size > 1 || len(b)%64 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// splitRecords puts the message of one TLS record into records of size bytes.
func splitRecords(record []byte, size int) (out []byte) {
	for body := record[5:]; len(body) > 0; {
		n := min(size, len(body))
		out = append(append(out, record[0], record[1], record[2], byte(n>>8), byte(n)), body[:n]...)
		body = body[n:]
	}
	return out
}

func readN(r io.Reader, n int) []byte {
	b := make([]byte, n)
	got, _ := io.ReadFull(r, b)
	return b[:got]
}

func TestBrokenHello(t *testing.T) {
	hello := clientHello(t, "example.com")
	w := newWorld(t, "example.com", "")
	var rec recorder
	w.serve("example.com", "198.51.100.1", 443, rec.serve)
	for _, raw := range [][]byte{
		append([]byte{0x16, 3, 1, 0, 4}, "evil"...),
		append([]byte{0x15, 3, 1, 0, 2, 1, 0}, clientHello(t, "evil.test")...), // an alert first
		append([]byte{0x14, 3, 3, 0, 1, 1}, clientHello(t, "evil.test")...),    // a change_cipher_spec first
		append([]byte{0x16, 3, 1, 0, 0}, clientHello(t, "evil.test")...),       // an empty record first
		{0x17, 3, 3, 0, 1, 0},
		[]byte("\x16\x01\x00\x01mysql"),
		[]byte("\x14\x01\x00\x00\x01\x00\x00\x00mongo"),
	} {
		conn := w.tunnel("example.com:443")
		conn.Write(raw)
		closeWrite(conn)
		readUntil(conn, "")
	}
	half := w.tunnel("example.com:443")
	half.Write(hello[:100])
	half.Close()
	waitSessions(t, w.s, 0)
	if got := rec.all(); got != "" {
		t.Errorf("the server saw % x", got)
	}
	for _, d := range w.denied() {
		if d.Code != CodeSNIMismatch {
			t.Errorf("%+v", d)
		}
	}
}

// Neither side waits for the other to begin.
func TestServerSpeaksFirst(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 25, func(conn net.Conn) {
		defer conn.Close()
		io.WriteString(conn, "220 hello\r\n")
		line, _ := bufio.NewReader(conn).ReadString('\n')
		io.WriteString(conn, "250 "+line)
	})
	conn := w.tunnel("example.com:25")
	if got := readUntil(conn, "\n"); got != "220 hello\r\n" {
		t.Fatalf("%q", got)
	}
	line := "\x16\x01\x00 EHLO me HTTP/1.1\r\n" // behind a greeting, as in mysql, it is neither TLS nor a request
	io.WriteString(conn, line)
	if got := readUntil(conn, "\n"); got != "250 "+line {
		t.Errorf("%q", got)
	}
}

// Client bytes that are neither TLS nor HTTP go out as they come.
func TestOpaqueProtocols(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	for _, first := range []string{
		"\x00\x00\x00\x08\x04\xd2\x16\x2f",               // postgres SSLRequest
		"*1\r\n$4\r\nPING\r\n",                           // redis
		"PING\r\n",                                       // redis, inline
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",     // ssh
		"0032git-upload-pack /project.git\x00host=x\x00", // git
		"\x00\x00\x00\x21\x00\x03\x00\x00user\x00me\x00database\x00db\x00\x00", // postgres without TLS
		"\x00\x00\x00\x10\x00\x12\x00\x03\x00\x00\x00\x01\x00\x01x",            // kafka
		"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",                         // mqtt
		"{\"jsonrpc\":\"2.0\"}",                                                // no line at all
		"USER anonymous\r\n",                                                   // ftp
		strings.Repeat("a", 100) + "\n",
		strings.Repeat("\x00", http1.MaxHead+100),
		"{" + strings.Repeat("a", http1.MaxHead+100),
	} {
		start := time.Now()
		conn := w.tunnel("example.com:7")
		go io.WriteString(conn, first)
		if got := readN(conn, len(first)); string(got) != first {
			t.Errorf("%.80q: %.80q", first, got)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.80q took %v", first, took)
		}
		conn.Close()
	}
}

// HTTP in a tunnel is held to the tunnel's name, request by request.
func TestHTTPInTunnel(t *testing.T) {
	w := newWorld(t, "example.com other.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, r.Host+" "+r.RequestURI)
	})
	conn := w.tunnel("example.com:80")
	br := bufio.NewReader(conn)
	for _, test := range []struct {
		raw    string
		status int
		body   string
	}{
		{"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n", 200, "example.com /a"},
		{"GET /?u=http://other.com/ HTTP/1.1\r\nHost: example.com:80\r\n\r\n", 200, "example.com:80 /?u=http://other.com/"},
		{"GET http://example.com/b HTTP/1.1\r\nHost: example.com\r\n\r\n", 200, "example.com /b"},
		{"OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n", 200, ""},
		{"GET /c HTTP/1.1\r\nHost: other.com\r\n\r\n", 403, "srun: denied network example.com:80 (HTTP Host other.com is not the allowed name example.com)\n"},
	} {
		io.WriteString(conn, test.raw)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(test.raw, err)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != test.status || string(body) != test.body {
			t.Errorf("%q: %s %q", test.raw, resp.Status, body)
		}
	}
	for _, raw := range []string{
		"GET http://other.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"GET http://other.com/ HTTP/1.1\r\nHost: other.com\r\n\r\n",
		"GET http://example.com:81/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"\r\nGET / HTTP/1.1\r\nHost: other.com\r\n\r\n",
		"get / http/1.1\r\nHost: other.com\r\n\r\n",
		"GET\t/ HTTP/1.1\r\nHost: other.com\r\n\r\n",
		"GET / HTTP/1.1\nHost: other.com\n\n",
		"GET http://other.com/\r\n",
		"G" + strings.Repeat("E", 50) + " /" + strings.Repeat("a", http1.MaxHead+8<<10) + " HTTP/1.1\r\nHost: other.com\r\n\r\n",
	} {
		conn := w.tunnel("example.com:80")
		start := time.Now()
		io.WriteString(conn, raw)
		if got := readUntil(conn, ""); strings.Contains(got, " 200 ") || time.Since(start) > time.Second {
			t.Errorf("%.60q: %q after %v", raw, got, time.Since(start))
		}
		conn.Close()
	}
	waitSessions(t, w.s, 0)
}

func TestHalfCloseAndReset(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, func(conn net.Conn) {
		defer conn.Close()
		all, _ := io.ReadAll(conn)
		fmt.Fprintf(conn, "got %d", len(all))
	})
	ended := make(chan error, 1)
	w.serve("example.com", "198.51.100.1", 8, func(conn net.Conn) {
		defer conn.Close()
		io.WriteString(conn, "x")
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	})
	w.serve("example.com", "198.51.100.1", 9, func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		reset(conn)
	})
	conn := w.tunnel("example.com:7")
	conn.Write(make([]byte, 100_000))
	closeWrite(conn)
	if got := readUntil(conn, ""); got != "got 100000" {
		t.Errorf("half-close: %q", got)
	}
	conn = w.tunnel("example.com:8")
	readN(conn, 1)
	reset(conn)
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server saw %v, not a reset", err)
	}
	conn = w.tunnel("example.com:9")
	conn.Write([]byte{0, 1})
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client saw %v, not a reset", err)
	}
	waitSessions(t, w.s, 0)
}

// 64 MiB each way, unchanged, over real sockets: the splicing path.
func TestBulk(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	conn := w.tunnel("example.com:7")
	const size = 64 << 20
	go func() {
		io.Copy(conn, io.LimitReader(&counter{}, size))
		closeWrite(conn)
	}()
	want := &counter{}
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	total := 0
	for {
		n, err := conn.Read(a)
		want.Read(b[:n])
		if !bytes.Equal(a[:n], b[:n]) {
			t.Fatalf("changed after %d bytes", total)
		}
		if total += n; err != nil {
			break
		}
	}
	if total != size {
		t.Errorf("%d bytes came back", total)
	}
	waitSessions(t, w.s, 0)
	if p := relay.PipesInUse(); p != 0 {
		t.Errorf("%d pipes in use", p)
	}
}

// counter is a stream in which no two places look the same.
type counter struct{ n uint64 }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte((c.n * 0x9e3779b97f4a7c15) >> 32)
		c.n++
	}
	return len(b), nil
}

// A server may ask for a second hello; it is held to the same name.
func TestHelloRetry(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 443, func(conn net.Conn) {
		defer conn.Close()
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{testCert()}, CurvePreferences: []tls.CurveID{tls.CurveP384}})
		if secure.Handshake() == nil {
			fmt.Fprint(secure, secure.ConnectionState().HelloRetryRequest, " ", secure.ConnectionState().ServerName)
		}
	})
	secure := tls.Client(w.tunnel("example.com:443"), &tls.Config{ServerName: "example.com", InsecureSkipVerify: true})
	if got := readUntil(secure, ""); got != "true example.com" {
		t.Errorf("control: %q", got)
	}
	first, second := clientHello(t, "example.com"), clientHello(t, "other.com")
	retryRandom := sha256.Sum256([]byte("HelloRetryRequest")) // RFC 8446 section 4.1.3
	ccs := []byte{0x14, 3, 3, 0, 1, 1}
	early := []byte{0x17, 3, 3, 0, 3, 'x', 'y', 'z'}
	for name, test := range map[string]struct {
		hello []byte
		wait  bool
	}{
		"plain":          {second, true},
		"behind a CCS":   {append(ccs, second...), true},
		"behind 0-RTT":   {append(early, second...), true},
		"not waiting":    {second, false},
		"the same name":  {first, true},
		"same and 0-RTT": {append(append(early, ccs...), first...), false},
	} {
		var rec recorder
		w := newWorld(t, "example.com", "")
		w.serve("example.com", "198.51.100.1", 443, func(conn net.Conn) {
			buf := make([]byte, len(first))
			io.ReadFull(conn, buf)
			hrr := append([]byte{0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, retryRandom[:]...)
			for _, c := range append(hrr, 0, 0x13, 1, 0) {
				conn.Write([]byte{c})
			}
			rec.serve(conn)
		})
		conn := w.tunnel("example.com:443")
		conn.Write(first)
		if test.wait {
			readN(conn, tlshello.RetryPrefix)
		}
		conn.Write(test.hello)
		closeWrite(conn)
		got := readUntil(conn, "HTTP/1.1 200 OK")
		passed := bytes.Contains(test.hello, first)
		if passed != (rec.all() == string(test.hello)) || !passed && (rec.all() != "" || len(w.denied()) != 1) {
			t.Errorf("%s: the server saw %.80x, the client %.80x, denials %v", name, rec.all(), got, w.denied())
		}
	}
}

// withExtension adds an extension to a hello that is one record.
func withExtension(record []byte, kind uint16, body []byte) []byte {
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

func TestEncryptedServerName(t *testing.T) {
	ech := withExtension(clientHello(t, "example.com"), 0xfe0d, []byte{0, 0, 1, 0, 1, 7, 0, 0, 0, 0})
	var log logBuffer
	for _, strict := range []bool{false, true} {
		w := newWorld(t, "example.com", "", func(c *Config) { c.Strict, c.Audit = strict, &log })
		w.serve("example.com", "198.51.100.1", 443, echo)
		conn := w.tunnel("example.com:443")
		conn.Write(ech)
		if got := readN(conn, 16); bytes.Equal(got, tlshello.UnrecognizedName) != strict {
			t.Errorf("strict %v: % x", strict, got)
		}
		if strict && !strings.Contains(w.wantDenials(1)[0].Reason, "(ECH)") {
			t.Errorf("%+v", w.denied())
		}
		conn.Close()
	}
	if !strings.Contains(log.String(), "the server name is encrypted (ECH); outer name example.com") {
		t.Errorf("%s", log.String())
	}
}
