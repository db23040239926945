package launcher

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"srun/policy"
	"srun/proxy"
)

// opening is what it takes to open TLS connections.
type opening struct {
	proxy  *proxy.TLS
	bundle []byte // PEM: what the command has to trust
}

// systemBundles are where Linux distributions keep the certificates that all
// programs trust, as crypto/x509 knows them.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Gentoo
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
	"/etc/ssl/ca-bundle.pem",                            // openSUSE
	"/etc/pki/tls/cacert.pem",                           // OpenELEC
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7
	"/etc/ssl/cert.pem",                                 // Alpine
}

// openTLS makes an authority for the run, or reads the user's. It returns nil
// when TLS stays closed, after no work at all.
func openTLS(p *policy.Policy) (*opening, error) {
	t := p.Network.TLSTerminate
	if t == nil || !filtered(p) {
		return nil, nil
	}
	authority, err := authority(t)
	if err != nil {
		return nil, &policy.Error{File: t.Source.File, Line: t.Source.Line, Key: "network.tlsTerminate", Msg: err.Error(), Err: err}
	}
	extra, err := extraCertificates(t.ExtraCACertPaths)
	if err != nil {
		return nil, &policy.Error{File: t.Source.File, Line: t.Source.Line, Key: "network.tlsTerminate.extraCaCertPaths", Msg: err.Error(), Err: err}
	}
	o := &opening{proxy: &proxy.TLS{Authority: authority}}
	if len(t.ExcludeDomains) > 0 {
		o.proxy.Exclude = policy.NewDomains(t.ExcludeDomains, nil)
	}
	if len(extra) > 0 {
		o.proxy.Roots = sync.OnceValues(func() (*x509.CertPool, error) { return systemAnd(extra) })
	}
	o.bundle = joinPEM(systemBundle(), extra, authority.PEM())
	return o, nil
}

func authority(t *policy.TLSTerminate) (*proxy.Authority, error) {
	if t.CACertPath == "" {
		return proxy.NewAuthority()
	}
	cert, err := os.ReadFile(t.CACertPath)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(t.CAKeyPath)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(cert, []byte("PRIVATE KEY")) && !sameFile(t.CACertPath, t.CAKeyPath) {
		return nil, fmt.Errorf("%s: a private key is in it, and the command may read it: keep it in caKeyPath alone", t.CACertPath)
	}
	a, err := proxy.LoadAuthority(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.CACertPath, err)
	}
	return a, nil
}

func sameFile(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}

func extraCertificates(paths []string) (all []byte, err error) {
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if !x509.NewCertPool().AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("%s: no certificate in PEM", path)
		}
		all = joinPEM(all, certificates(b))
	}
	return all, nil
}

// certificates are those of a file in PEM, and nothing else of it: the command
// gets to read them, and some keep the key in the same file.
func certificates(file []byte) (all []byte) {
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "CERTIFICATE") {
			all = append(all, pem.EncodeToMemory(block)...)
		}
	}
	return all
}

func systemAnd(extra []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(extra) {
		return nil, errors.New("extraCaCertPaths: no certificate")
	}
	return pool, nil
}

// systemBundle is what this process itself trusts, nil where there is none: a
// variable names another than the usual, as for crypto/x509.
func systemBundle() []byte {
	if path := os.Getenv("SSL_CERT_FILE"); path != "" {
		b, _ := os.ReadFile(path)
		return certificates(b)
	}
	for _, path := range systemBundles {
		if b, err := os.ReadFile(path); err == nil {
			return b
		}
	}
	return nil
}

func joinPEM(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		if n := len(all); n > 0 && all[n-1] != '\n' {
			all = append(all, '\n')
		}
		all = append(all, p...)
	}
	return all
}

// trustVariables point the common tools to the bundle. Some read only their
// own, and some add what theirs names to what they trust already.
func trustVariables(bundle string) (env []string) {
	for _, name := range []string{
		"SSL_CERT_FILE", // OpenSSL, and with it Ruby, Perl and Python's ssl; Go; rustls; uv
		"CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "PIP_CERT", "HTTPLIB2_CA_CERTS",
		"NODE_EXTRA_CA_CERTS", // Node.js and Bun
		"DENO_CERT", "YARN_HTTPS_CA_FILE_PATH", "CARGO_HTTP_CAINFO", "BUNDLE_SSL_CA_CERT", "AWS_CA_BUNDLE",
		"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "PERL_LWP_SSL_CA_FILE",
		"HEX_CACERTS_PATH", "NIX_SSL_CERT_FILE", "JULIA_SSL_CA_ROOTS_PATH",
	} {
		env = append(env, name+"="+bundle)
	}
	return env
}
