package socks5

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"

	"srun/policy"
)

// ErrLongPassword says that RFC 1929 cannot carry a user name or password.
var ErrLongPassword = errors.New("the user name or password is longer than 255 bytes")

// Connect asks a SOCKS5 server to connect to a target, whose name it resolves.
// user is the name and password to log in with, nil for none. br reads what the
// server sends; what it holds afterwards is the target's. An [*Error] is the
// server's refusal; any other error is the connection's or ErrLongPassword.
func Connect(w io.Writer, br *bufio.Reader, user *url.Userinfo, target policy.HostPort) error {
	if err := login(w, br, user); err != nil {
		return err
	}
	request := append([]byte{Version, connect, 0}, address(target.Host)...)
	request = append(request, byte(target.Port>>8), byte(target.Port))
	if _, err := w.Write(request); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return err
	}
	switch {
	case head[1] == NotAllowed:
		return &Error{NotAllowed, "not allowed by its rules"}
	case head[1] != OK:
		return &Error{head[1], fmt.Sprintf("SOCKS reply %d", head[1])}
	}
	if _, err := readHost(br, head[3]); err != nil {
		return err
	}
	_, err := io.ReadFull(br, head[:2]) // the port
	return err
}

func address(h policy.Host) []byte {
	a, literal := h.Addr()
	switch {
	case !literal:
		return append([]byte{Name, byte(len(h.String()))}, h.String()...)
	case a.Is4():
		return append([]byte{IPv4}, a.AsSlice()...)
	}
	return append([]byte{IPv6}, a.AsSlice()...)
}

// login settles on a method; RFC 1929 is the one with a password.
func login(w io.Writer, br *bufio.Reader, user *url.Userinfo) error {
	method := byte(noAuth)
	if user != nil {
		method = withPassword
	}
	if _, err := w.Write([]byte{Version, 1, method}); err != nil {
		return err
	}
	var reply [2]byte
	if _, err := io.ReadFull(br, reply[:]); err != nil {
		return err
	}
	if reply != [2]byte{Version, method} {
		return &Error{Failure, "no common authentication method"}
	}
	if method == noAuth {
		return nil
	}
	password, _ := user.Password()
	name := user.Username()
	if len(name) > 255 || len(password) > 255 {
		return ErrLongPassword
	}
	b := append([]byte{1, byte(len(name))}, name...)
	b = append(append(b, byte(len(password))), password...)
	if _, err := w.Write(b); err != nil {
		return err
	}
	if _, err := io.ReadFull(br, reply[:]); err != nil {
		return err
	}
	if reply[1] != 0 {
		return &Error{Failure, "the user name or password"}
	}
	return nil
}
