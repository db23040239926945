package policy

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

func parentProxyFields() []field {
	return []field{
		{"http", func(v value) error { // https counts where both are there
			if v.r.layer.upstream.set {
				return nil
			}
			return v.upstreamProxy()
		}},
		{"https", value.upstreamProxy},
		{"noProxy", func(v value) error {
			s, err := v.text()
			v.r.layer.noProxy = setting(s, v.source())
			return err
		}},
	}
}

func (v value) upstreamProxy() error {
	s, err := v.text()
	if err != nil {
		return err
	}
	u, err := ParseProxyURL(s)
	if err != nil {
		return v.errorf("%w", err)
	}
	v.r.layer.upstream = setting(u, v.source())
	return nil
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

func (v value) deniedAddresses() error {
	return v.each("address ranges", func(e value) error {
		s, err := e.text()
		if err != nil {
			return err
		}
		p, err := parseAddressRange(s)
		if err != nil {
			return e.errorf("%q: %w", clip(s), err)
		}
		v.r.layer.addresses = append(v.r.layer.addresses, AddressRule{p, e.source()})
		return nil
	})
}

func parseAddressRange(s string) (netip.Prefix, error) {
	if strings.IndexByte(s, '/') >= 0 {
		return parseCIDR(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, errors.New("not an address range such as 10.0.0.0/8")
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func (v value) deniedReasons() error {
	return v.members("text", func(name string, v value) error {
		p, err := ParsePattern(name)
		if err != nil {
			return v.errorf("%w", err)
		}
		text, err := v.text()
		if err != nil {
			return err
		}
		if err := plainText(text); err != nil {
			return v.errorf("the reason %w", err)
		}
		v.r.layer.reasons = append(v.r.layer.reasons, reasonRule{p, text})
		return nil
	})
}

func tlsFields() []field {
	return []field{
		{"caCertPath", func(v value) error { return v.oneFile(&v.r.layer.tls.value.CACertPath) }},
		{"caKeyPath", func(v value) error { return v.oneFile(&v.r.layer.tls.value.CAKeyPath) }},
		{"excludeDomains", func(v value) error { return v.domains(&v.r.layer.tls.value.ExcludeDomains) }},
		{"extraCaCertPaths", func(v value) error {
			return v.each("paths", func(e value) error {
				var path string
				err := e.oneFile(&path)
				v.r.layer.tls.value.ExtraCACertPaths = append(v.r.layer.tls.value.ExtraCACertPaths, path)
				return err
			})
		}},
	}
}

func (v value) tlsTerminate() error {
	t := &TLSTerminate{Source: v.source()}
	v.r.layer.tls = setting(t, v.source())
	if err := v.object(tlsFields(), false); err != nil {
		return err
	}
	if (t.CACertPath == "") != (t.CAKeyPath == "") {
		return v.errorf("caCertPath and caKeyPath go together")
	}
	return nil
}

// oneFile reads the path of a file, which is never a glob.
func (v value) oneFile(path *string) error {
	s, err := v.text()
	if err != nil {
		return err
	}
	rule, err := parsePath(s, v.r.base, v.r.home, true)
	if err != nil {
		return v.errorf("%q: %w", clip(s), err)
	}
	*path = rule.Path
	return nil
}

func (v value) requestRules() error {
	return v.each("objects", func(e value) error {
		rule := RequestRule{Source: e.source()}
		err := e.object([]field{
			{"host", func(v value) error { return v.pattern(&rule.Host) }},
			{"methods", func(v value) error { return v.methods(&rule.Methods) }},
			{"paths", func(v value) error { return v.urlPaths(&rule.Paths) }},
			{"action", func(v value) error { return v.action(&rule.Action) }},
		}, false)
		switch {
		case err != nil:
			return err
		case rule.Host == Pattern{}:
			return e.errorf(`the rule's "host" is missing`)
		case rule.Action == Undecided:
			return e.errorf(`the rule's "action" is missing: "allow" or "deny"`)
		}
		v.r.layer.rules = append(v.r.layer.rules, rule)
		return nil
	})
}

func (v value) pattern(p *Pattern) error {
	s, err := v.text()
	if err != nil {
		return err
	}
	if *p, err = ParsePattern(s); err != nil {
		return v.errorf("%w", err)
	}
	return nil
}

func (v value) methods(list *[]string) error {
	return v.each("methods", func(e value) error {
		s, err := e.text()
		if err == nil && (s == "" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "") {
			err = e.errorf("%q: not a method in upper case, such as GET", clip(s))
		}
		*list = append(*list, s)
		return err
	})
}

func (v value) urlPaths(list *[]string) error {
	return v.each("paths", func(e value) error {
		s, err := e.text()
		switch {
		case err != nil:
		case !strings.HasPrefix(s, "/"):
			err = e.errorf("%q: a path begins with '/'", clip(s))
		default:
			err = e.checkURLPath(s)
		}
		*list = append(*list, s)
		return err
	})
}

// checkURLPath refuses a glob that no request's path could match: the rule would
// be there and do nothing.
func (v value) checkURLPath(s string) error {
	_, query, _ := strings.Cut(s, "?")
	switch {
	case !doublestar.ValidatePattern(s):
		return v.errorf("%q: not a valid glob", clip(s))
	case strings.ContainsAny(s, "%#"):
		return v.errorf("%q: a path is matched decoded, without a fragment: write the characters themselves", clip(s))
	case strings.Contains(query, "="):
		return v.errorf("%q: a path is matched without its query", clip(s))
	}
	return nil
}

func (v value) action(verdict *Verdict) error {
	s, err := v.text()
	switch {
	case err != nil:
		return err
	case s == "allow":
		*verdict = Allowed
	case s == "deny":
		*verdict = Denied
	default:
		return v.errorf(`%q: an action is "allow" or "deny"`, clip(s))
	}
	return nil
}
