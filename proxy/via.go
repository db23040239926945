package proxy

// The ways in, as the audit log calls them.
const (
	viaHTTP        = "http"
	viaConnect     = "connect"
	viaSOCKS       = "socks5"
	viaTransparent = "transparent"
	viaDNS         = "dns"
	viaForward     = "forward"
	viaPublish     = "publish" // from outside: the command is the server
)
