package proxy

import "srun/proxy/internal/leafca"

// Authority signs the certificates that clients of a terminated TLS connection
// get to see. Its key is never written anywhere. Its methods may be called
// from any goroutine.
type Authority = leafca.Authority

// NewAuthority makes an authority with a new key, for one run.
func NewAuthority() (*Authority, error) { return leafca.New() }

// LoadAuthority reads an authority from PEM: its certificate, with those above
// it behind, and its key. It fails on what may not sign or has ended.
func LoadAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	return leafca.Load(certPEM, keyPEM)
}
