package proxy

import "time"

// The limits of one server, all in one place but for those of the packages below
// internal, which stand with them (http1.MaxHead, tlshello.MaxSize, and how many
// connections and questions there may be in serving and question). None can be set:
// a run that needs more than these is not the kind of run srun is for.
const (
	// maxTold bounds the denials that are told once each.
	maxTold = 1 << 16

	// maxQueries bounds the DNS queries by datagram at once; the host's name servers
	// are asked fewer (stub).
	maxQueries = 256

	// maxWarnings bounds how many failures of the proxy behind are told.
	maxWarnings = 100

	// maxDiscard bounds what is read and dropped of a refused request's body,
	// so that the client gets to read the refusal.
	maxDiscard = 256 << 10

	// maxRequests bounds the HTTP/2 requests at once that the proxy looks at,
	// for one connection can have 250. One more is answered 503.
	maxRequests = 4096

	// maxWideHTTP2 bounds the HTTP/2 connections with windows for the wide world:
	// wideWindow bytes (less than 4 MiB, which net/http takes no more of) are
	// kept at most of what a reader does not take, and an eighth of that for one
	// stream, so that seven that stall leave room. Beyond it they have narrowWindow.
	maxWideHTTP2 = 64
	wideWindow   = 4<<20 - 1
	narrowWindow = 128 << 10
)

const (
	headTimeout   = 30 * time.Second       // for a request head, from its first byte
	idleTimeout   = 5 * time.Minute        // between requests on one connection
	handshakeWait = 30 * time.Second       // for a SOCKS greeting or the first byte to the proxy port
	prereadWait   = 3 * time.Second        // for the rest of what may be a request line, where it has to be held back
	dialTimeout   = 30 * time.Second       // for all addresses of one name together
	lingerTimeout = 500 * time.Millisecond // for a client to read a refusal before its connection closes
	bodyGrace     = 100 * time.Millisecond // for the rest of a request's body, once its response is over
	dnsTCPIdle    = 10 * time.Second       // between DNS queries on one TCP connection
	dnsTTL        = 10                     // seconds, of a synthetic address
)
