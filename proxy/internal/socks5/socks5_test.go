package socks5

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"srun/policy"
)

func reader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func TestGreet(t *testing.T) {
	for s, want := range map[string]string{
		"\x05\x01\x00": "\x05\x00", "\x05\x03\x02\x01\x00": "\x05\x00",
		"\x05\x01\x02": "\x05\xff", "\x05\x00": "\x05\xff", "\x05\x02\x00": "", "": "",
	} {
		var out bytes.Buffer
		if err := Greet(reader(s), &out); out.String() != want || (err == nil) != (want == "\x05\x00") {
			t.Errorf("% x: % x, %v", s, out.Bytes(), err)
		}
	}
}

func TestReadRequest(t *testing.T) {
	long := strings.Repeat("a", 255)
	for s, want := range map[string]string{
		"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb":                                "192.0.2.1:443",
		"\x05\x01\x00\x03\x06a.test\x00\x50":                                      "a.test:80",
		"\x05\x01\x00\x03\xff" + long + "\x00\x01":                                long + ":1",
		"\x05\x01\x00\x04" + string(net.ParseIP("2001:db8::1")) + "\xff\xff":      "[2001:db8::1]:65535",
		"\x05\x01\x00\x04" + string(net.ParseIP("192.0.2.1").To16()) + "\x00\x01": "192.0.2.1:1",
	} {
		if got, err := ReadRequest(reader(s)); got != want || err != nil {
			t.Errorf("% x: %s, %v; want %s", s, got, err, want)
		}
	}
	for s, want := range map[string]byte{
		"\x04\x01\x00\x01\xc0\x00\x02\x01\x01\xbb": Failure,
		"\x05\x02\x00\x01\xc0\x00\x02\x01\x01\xbb": CommandNotSupported,
		"\x05\x03\x00\x01\xc0\x00\x02\x01\x01\xbb": CommandNotSupported,
		"\x05\x01\x00\x02\xc0\x00\x02\x01\x01\xbb": AddressNotSupported,
	} {
		if got, err := ReadRequest(reader(s)); replyOf(err) != int(want) {
			t.Errorf("% x: %s, %v", s, got, err)
		}
	}
	if _, err := ReadRequest(reader("\x05\x01\x00\x03\x06a.te")); err != io.ErrUnexpectedEOF {
		t.Errorf("cut short: %v", err)
	}
}

// replyOf is the reply in an error, -1 for none.
func replyOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return int(e.Reply)
	}
	return -1
}

// The two halves understand each other; what a server refuses is told.
func TestConnect(t *testing.T) {
	for target, reply := range map[string]byte{"a.test:80": OK, "192.0.2.1:443": OK, "[2001:db8::1]:1": OK, "b.test:80": NotAllowed, "c.test:80": HostUnreachable} {
		client, server := net.Pipe()
		deadline := time.Now().Add(5 * time.Second)
		client.SetDeadline(deadline)
		server.SetDeadline(deadline)
		asked := make(chan string, 1)
		go func() {
			defer server.Close()
			br := bufio.NewReader(server)
			if Greet(br, server) != nil {
				return
			}
			got, _ := ReadRequest(br)
			asked <- got
			WriteReply(server, reply)
			io.WriteString(server, "early")
		}()
		hp, err := policy.ParseHostPort(target)
		if err != nil {
			t.Fatal(err)
		}
		br := bufio.NewReader(client)
		err = Connect(client, br, nil, hp)
		if got := <-asked; got != target {
			t.Errorf("%s was asked for as %s", target, got)
		}
		if reply != OK {
			if replyOf(err) != int(reply) {
				t.Errorf("%s: %v", target, err)
			}
			continue
		}
		rest, _ := io.ReadAll(br)
		if err != nil || string(rest) != "early" {
			t.Errorf("%s: %v, then %q", target, err, rest)
		}
	}
}

func TestLogin(t *testing.T) {
	target, _ := policy.ParseHostPort("a.test:80")
	user := url.UserPassword("me", "secret")
	const ok = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	for name, test := range map[string]struct {
		user  *url.Userinfo
		reply string
		want  string // of the error
	}{
		"logged in":      {user, "\x05\x02\x01\x00" + ok, ""},
		"not known":      {user, "\x05\x02\x01\x01", "the user name or password"},
		"no method":      {user, "\x05\xff", "no common"},
		"another method": {nil, "\x05\x02", "no common"},
		"no SOCKS":       {nil, "HT", "no common"},
		"too long":       {url.UserPassword("me", strings.Repeat("x", 256)), "\x05\x02", ErrLongPassword.Error()},
		"closed":         {user, "\x05", "unexpected EOF"},
		"closed later":   {nil, "\x05\x00\x05\x00", "unexpected EOF"},
		"odd address":    {nil, "\x05\x00\x05\x00\x00\x09", "unknown type"},
	} {
		var out bytes.Buffer
		err := Connect(&out, reader(test.reply), test.user, target)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "logged in" && !strings.HasPrefix(out.String(), "\x05\x01\x02\x01\x02me\x06secret\x05\x01\x00\x03\x06a.test\x00P") {
			t.Errorf("%q", out.String())
		}
	}
}

// What a request asks for, if it is an authority at all, is one with a port.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("\x05\x01\x00\x03\x0bexample.com\x01\xbb"))
	f.Add(append(append([]byte("\x05\x01\x00\x04"), net.ParseIP("::1")...), 0, 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := bytes.NewReader(raw)
		authority, err := ReadRequest(bufio.NewReaderSize(in, 16))
		if err != nil {
			return
		}
		target, err := policy.ParseHostPort(authority)
		if err == nil && (target.Port == 0 || target.Host.IsZero()) {
			t.Errorf("% x: %v", raw, target)
		}
	})
}
