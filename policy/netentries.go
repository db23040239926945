package policy

import (
	"errors"
	"net/url"
)

// parentProxy is srt's spelling of network.upstreamProxy. Where both of its
// URLs are there, https counts.
func parentProxy(https bool) feed {
	f := proxyURL()
	return feed{words: f.one, json: f.jsonSchema, when: always, into: func(v value) error {
		upstream := &v.r.layer.upstream
		if !https && upstream.set {
			return nil
		}
		source := v.source()
		u, err := f.read(v)
		*upstream = given(u, source)
		return err
	}}
}

// ParseProxyURL reads the URL of an upstream proxy: http, https, socks5 or
// socks5h, a host, and a port unless the scheme has one. Errors never repeat
// the URL, which may hold a password.
func ParseProxyURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("not a proxy URL such as http://proxy.example:3128")
	}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	switch {
	case port == "":
		return nil, errors.New("a proxy URL begins with http://, https://, socks5:// or socks5h://")
	case u.Port() == "":
		u.Host += ":" + port
	}
	if _, err := ParseHostPort(u.Host); err != nil {
		return nil, err
	}
	return u, nil
}

// deniedReason reads the text that is shown with the denial of a pattern.
func deniedReason(pattern string, v value) (reasonRule, error) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return reasonRule{}, v.errorf("%w", err)
	}
	text, err := v.text()
	if err != nil {
		return reasonRule{}, err
	}
	if err := plainText(text); err != nil {
		return reasonRule{}, v.errorf("the reason %w", err)
	}
	return reasonRule{p, text}, nil
}
