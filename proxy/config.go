package proxy

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"time"

	"srun/policy"
)

// Config says what a Server lets through and whom it asks and tells. The zero
// Config denies everything.
type Config struct {
	// Domains are the allow and deny rules; nil is none. SetDomains replaces
	// them later.
	Domains *policy.Domains

	// Strict never asks, and refuses TLS whose server name is missing or
	// encrypted.
	Strict bool

	// Ask puts a question to the user; nil is nobody to ask, and what no rule
	// decides is denied. It is called one at a time; requests for one HostPort
	// share it. ctx ends when time is up or the server closes, and Ask should
	// return then: its answer no longer counts.
	Ask func(ctx context.Context, q Question) Answer

	// AskTimeout is how long a question may stay unanswered; 0 is 60 s.
	AskTimeout time.Duration

	// Denied is told of every refusal. It is called from many goroutines at
	// once and should return soon, for the refused client waits.
	Denied func(Denial)

	// Line is a denial as the refused client reads it; nil is Denial.Line.
	Line func(policy.Denial) string

	// Peer says which process is behind an accepted connection. It is called
	// for questions and denials only; nil or a zero Process is unknown.
	Peer func(conn net.Conn) Process

	// DeniedAddresses are never dialled, on top of the built-in guard.
	DeniedAddresses []netip.Prefix

	// HostAddrs lists this host's own addresses; nil is net.InterfaceAddrs.
	HostAddrs func() ([]netip.Addr, error)

	// Resolve looks a name up; nil is Go's own resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// NameServers lists those that are asked for records of allowed names that are
	// no addresses; nil is the host's, of /etc/resolv.conf.
	NameServers func() ([]netip.AddrPort, error)

	// Dial opens a TCP connection to an address that passed the guard; nil is
	// a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Inside is the command's own loopback; nil is none that can be reached.
	Inside *Inside

	// HTTPProxyPort and SOCKSProxyPort are the custom proxy on localhost that
	// allowed traffic is handed to, 0 for none. With one of them set, all
	// traffic goes to that one.
	HTTPProxyPort, SOCKSProxyPort int

	// Upstream is the corporate proxy to leave through, unless a custom proxy
	// is set; nil is none.
	Upstream *Upstream

	// TLS, when not nil, terminates TLS connections.
	TLS *TLS

	// Rules say what may be requested of hosts that are allowed. They hold for
	// plain HTTP, and with TLS for https; what rules speak of and they cannot
	// be applied to is refused.
	Rules []policy.RequestRule

	// Warn is told, one line at a time and each once, when the proxy that
	// traffic is handed to does not answer or refuses: the client may have no
	// way to show it. So it is of a client that does not trust TLS.Authority.
	// nil is nobody.
	Warn func(line string)

	// Audit gets one JSON line per decision and per close, each in one Write;
	// nil is none. An error of Write is ignored: the writer knows it first.
	Audit io.Writer
}

// TLS has the proxy terminate TLS connections: it is the server to the client,
// with a certificate of its own authority, and a client to the server, whose
// certificate it verifies. So it sees the requests inside.
type TLS struct {
	Authority *Authority

	// Exclude are hosts whose connections stay closed and are relayed; nil is
	// none.
	Exclude *policy.Domains

	// Roots verify servers' certificates; nil is the system's. It is called
	// for each connection.
	Roots func() (*x509.CertPool, error)
}
