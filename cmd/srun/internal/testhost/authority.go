//go:build linux

package testhost

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// An authority signs a certificate for whatever name a client asks for.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// caPath holds the machine's usual authorities and the tests' own.
func (m machine) caPath() string { return filepath.Join(m.dir, "ca.pem") }

// wgetrcPath is a configuration that points wget to caPath.
func (m machine) wgetrcPath() string { return filepath.Join(m.dir, "wgetrc") }

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "srun test authority"},
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}, nil, key, key)
	return &authority{cert: cert, key: key, leaves: map[string]*tls.Certificate{}}, err
}

// sign completes template and signs it; a nil parent is the template itself.
func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// write appends the authority to a copy of the machine's own bundle.
func (a *authority) write(m machine) error {
	bundle, _ := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if err := os.WriteFile(m.caPath(), append(bundle, own...), 0o644); err != nil {
		return err
	}
	return os.WriteFile(m.wgetrcPath(), []byte("ca_certificate = "+m.caPath()+"\n"), 0o644)
}

// leaf returns the certificate for the name that the client named, or for the
// address it dialled.
func (a *authority) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host, _, _ := net.SplitHostPort(hello.Conn.LocalAddr().String())
	if hello.ServerName != "" {
		host = hello.ServerName
	}
	return a.forName(host)
}

// forName returns the certificate for a name or an address.
func (a *authority) forName(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf := a.leaves[host]; leaf != nil {
		return leaf, nil
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{host},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	cert, err := sign(template, a.cert, a.key, a.key)
	if err != nil {
		return nil, err
	}
	a.leaves[host] = &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: a.key}
	return a.leaves[host], nil
}
