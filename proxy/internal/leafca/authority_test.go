package leafca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestLeaf(t *testing.T) {
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for _, names := range [][]string{
		{"example.com"}, {"192.0.2.1"}, {"2001:db8::1"}, {"localhost", "127.0.0.1", "::1"},
		{strings.Repeat("a.", 100) + "test"},
	} {
		c, err := a.Leaf(names...)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: "other.test", Roots: roots}); err == nil {
			t.Errorf("%v: good for another name", names)
		}
		if c.Leaf.IsCA {
			t.Errorf("%v: may sign", names)
		}
	}
	one, _ := a.Leaf("example.com")
	two, _ := a.Leaf("example.com")
	if one != two {
		t.Error("a leaf is made twice")
	}
	for i := range maxLeaves + 10 {
		if _, err := a.Leaf(fmt.Sprintf("n%d.test", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.leaves); n > maxLeaves {
		t.Errorf("%d leaves kept", n)
	}
}

func TestLoadAuthority(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signing := x509.Certificate{
		Subject: pkix.Name{CommonName: "mine"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	}
	leaf, old, mute := signing, signing, signing
	leaf.IsCA = false
	old.NotAfter = time.Now().Add(-time.Hour)
	mute.KeyUsage = x509.KeyUsageDigitalSignature
	for name, test := range map[string]struct {
		template x509.Certificate
		key      *ecdsa.PrivateKey
		want     string
	}{
		"good":         {signing, key, ""},
		"another key":  {signing, other, "does not match"},
		"no authority": {leaf, key, "not a CA's"},
		"cannot sign":  {mute, key, "not a CA's"},
		"ended":        {old, key, "ended on"},
	} {
		der, err := signed(&test.template, &test.template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, _ := x509.MarshalPKCS8PrivateKey(test.key)
		a, err := Load(
			pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Leaf("example.com")
		if err != nil || c.Leaf.Issuer.CommonName != "mine" || c.Leaf.NotAfter.After(a.cert.NotAfter) {
			t.Errorf("%+v, %v", c, err)
		}
		if strings.Contains(string(a.PEM()), "KEY") {
			t.Error("the key is handed out")
		}
	}
}
