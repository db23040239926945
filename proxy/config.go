package proxy

import (
	"context"
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

	// Peer says which process is behind an accepted connection. It is called
	// for questions and denials only; nil or a zero Process is unknown.
	Peer func(conn net.Conn) Process

	// DeniedAddresses are never dialled, on top of the built-in guard.
	DeniedAddresses []netip.Prefix

	// HostAddrs lists this host's own addresses; nil is net.InterfaceAddrs.
	HostAddrs func() ([]netip.Addr, error)

	// Resolve looks a name up; nil is Go's own resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// Dial opens a TCP connection to an address that passed the guard; nil is
	// a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

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

// Process is who is behind a connection. The zero Process is unknown.
type Process struct {
	PID     int    // as the host sees it
	Command string // the process's name, as in git-remote-https
}

// Question asks whether a host that no rule decides may be reached.
type Question struct {
	Target  policy.HostPort
	Process Process
}

// Answer is the reply to a Question. It holds for that host on every port; for
// localhost, where each port is another service, on that port alone. The zero
// Answer is Deny.
type Answer struct {
	Allow  bool
	Keep   bool          // beyond the run: to write it to a file is the caller's part
	Once   bool          // for what was asked, and no longer: the next request asks again
	For    time.Duration // how long it holds in this run; 0 is to its end
	Reason string        // of a denial, in the words of its line; "" is "answered no"
}

// The usual answers, which hold for the rest of the run.
var (
	Deny        = Answer{}
	AllowOnce   = Answer{Allow: true}
	AllowAlways = Answer{Allow: true, Keep: true}
)
