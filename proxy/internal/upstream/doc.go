// Package upstream speaks to the proxy that allowed traffic is handed to: a custom
// one on the host's loopback, or the corporate one of HTTP_PROXY and NO_PROXY.
package upstream
