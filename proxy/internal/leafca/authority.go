package leafca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Authority signs the certificates that clients of a terminated TLS connection
// get to see. Its key is never written anywhere. Its methods may be called
// from any goroutine.
type Authority struct {
	cert  *x509.Certificate
	chain [][]byte // DER, the authority's own certificate first
	key   crypto.Signer

	mu      sync.Mutex
	leafKey *ecdsa.PrivateKey           // one for all leaves: a key costs more than a signature
	leaves  map[string]*tls.Certificate // by first name
}

const (
	authorityAge = 365 * 24 * time.Hour
	leafAge      = 30 * 24 * time.Hour
	leafRenewal  = 24 * time.Hour // before it ends
	clockSkew    = time.Hour      // of a client whose clock is behind
	maxLeaves    = 1024           // beyond it all are made anew
)

// New makes an authority with a new ECDSA key, for one run.
func New() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "srun, for one run"},
		NotBefore:             time.Now().Add(-clockSkew),
		NotAfter:              time.Now().Add(authorityAge),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	der, err := signed(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{cert: cert, chain: [][]byte{der}, key: key}, nil
}

// Load reads an authority from PEM: its certificate, with those above
// it behind, and its key.
func Load(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	switch {
	case !ok:
		return nil, errors.New("the key cannot sign")
	case !cert.IsCA || cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, errors.New("the certificate is not a CA's: it may not sign others")
	case time.Now().After(cert.NotAfter):
		return nil, fmt.Errorf("the certificate ended on %s", cert.NotAfter.Format(time.DateOnly))
	}
	return &Authority{cert: cert, chain: pair.Certificate, key: key}, nil
}

// PEM returns the certificates that a client has to trust.
func (a *Authority) PEM() []byte {
	var all []byte
	for _, der := range a.chain {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return all
}

// Leaf returns a certificate for names, of which the first stands for all.
func (a *Authority) Leaf(names ...string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[names[0]]; c != nil && time.Until(c.Leaf.NotAfter) > leafRenewal {
		return c, nil
	}
	if a.leafKey == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		a.leafKey = key
	}
	c, err := a.sign(names)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %s: %w", names[0], err)
	}
	if a.leaves == nil || len(a.leaves) >= maxLeaves {
		a.leaves = make(map[string]*tls.Certificate)
	}
	a.leaves[names[0]] = c
	return c, nil
}

// sign makes a leaf. It outlives the authority by nothing: clients look at
// both.
func (a *Authority) sign(names []string) (*tls.Certificate, error) {
	template := &x509.Certificate{
		NotBefore:   time.Now().Add(-clockSkew),
		NotAfter:    time.Now().Add(leafAge),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if a.cert.NotAfter.Before(template.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	if len(names[0]) <= 64 { // the longest common name, RFC 5280 appendix A.1
		template.Subject.CommonName = names[0]
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := signed(template, a.cert, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, a.chain...), PrivateKey: a.leafKey, Leaf: leaf}, nil
}

func signed(template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	return x509.CreateCertificate(rand.Reader, template, parent, pub, key)
}
