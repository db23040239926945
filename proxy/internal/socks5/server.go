package socks5

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
)

// Version is the first byte of every message of either side.
const Version = 5

// The methods of authentication in use, RFC 1928 section 3.
const (
	noAuth       = 0
	withPassword = 2 // RFC 1929
	noMethod     = 0xff
)

// The types of addresses, RFC 1928 section 5.
const (
	IPv4 = 1
	Name = 3
	IPv6 = 4
)

const connect = 1 // the command

// The replies, RFC 1928 section 6.
const (
	OK                  = 0
	Failure             = 1
	NotAllowed          = 2 // by the rules
	NetworkUnreachable  = 3
	HostUnreachable     = 4
	ConnectionRefused   = 5
	TTLExpired          = 6 // for what took too long
	CommandNotSupported = 7
	AddressNotSupported = 8 // that type of address
)

// replyLength is that of a reply with an IPv4 address.
const replyLength = 10

// Error is a request that gets, or got, a reply other than OK.
type Error struct {
	Reply byte
	Text  string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// errNoMethod ends a conversation with a client that insists on a method.
var errNoMethod = errors.New("no acceptable authentication method")

var errAddressType = errors.New("a SOCKS address of unknown type")

// Greet reads a client's greeting and settles on no authentication. When the
// client offers that not, it is told so and an error returned.
func Greet(br *bufio.Reader, w io.Writer) error {
	var head [2]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(br, methods); err != nil {
		return err
	}
	if !slices.Contains(methods, noAuth) {
		w.Write([]byte{Version, noMethod})
		return errNoMethod
	}
	_, err := w.Write([]byte{Version, noAuth})
	return err
}

// ReadRequest reads a CONNECT request and returns its target as "host:port",
// with an IPv6 address in brackets. A name comes as it is (socks5h), whatever
// bytes it has: the caller validates it. An [*Error] has the reply that the
// request gets; any other error is the connection's.
func ReadRequest(br *bufio.Reader) (string, error) {
	var head [4]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return "", err
	}
	host, err := readHost(br, head[3])
	if err == errAddressType {
		return "", &Error{AddressNotSupported, err.Error()}
	}
	if err != nil {
		return "", err
	}
	var port [2]byte
	if _, err := io.ReadFull(br, port[:]); err != nil {
		return "", err
	}
	switch {
	case head[0] != Version:
		return "", &Error{Failure, "not SOCKS5"}
	case head[1] != connect:
		return "", &Error{CommandNotSupported, "a SOCKS command other than CONNECT"}
	}
	return fmt.Sprintf("%s:%d", host, int(port[0])<<8|int(port[1])), nil
}

func readHost(br *bufio.Reader, kind byte) (string, error) {
	size := 0
	switch kind {
	case IPv4:
		size = 4
	case IPv6:
		size = 16
	case Name:
		n, err := br.ReadByte()
		if err != nil {
			return "", err
		}
		size = int(n)
	default:
		return "", errAddressType
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(br, b); err != nil {
		return "", err
	}
	if kind == Name {
		return string(b), nil
	}
	a, _ := netip.AddrFromSlice(b)
	return bracketed(a.Unmap()), nil
}

func bracketed(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return "[" + a.String() + "]"
}

// WriteReply answers a request. The address that a reply names, where the server
// is bound, is always 0.0.0.0:0: CONNECT has no use for it.
func WriteReply(w io.Writer, reply byte) error {
	b := [replyLength]byte{Version, reply, 0, IPv4}
	_, err := w.Write(b[:])
	return err
}
