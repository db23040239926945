package policy

import (
	"strings"
	"testing"
)

func requestRule(t *testing.T, action Verdict, host, methods, paths string) *RequestRule {
	p, err := ParsePattern(host)
	if err != nil {
		t.Fatal(err)
	}
	return &RequestRule{Host: p, Methods: strings.Fields(methods), Paths: strings.Fields(paths), Action: action}
}

func TestRequestRuleMatches(t *testing.T) {
	for _, test := range []struct {
		action         Verdict
		methods, paths string
		method, path   string
		want           bool
	}{
		{Allowed, "", "", "GET", "/", true},
		{Allowed, "", "", "OPTIONS", "*", true},
		{Allowed, "GET HEAD", "", "HEAD", "/x", true},
		{Allowed, "GET HEAD", "", "get", "/x", true},
		{Allowed, "GET HEAD", "", "POST", "/x", false},
		{Allowed, "", "/org/**", "GET", "/org", true},
		{Allowed, "", "/org/**", "GET", "/org/a/b", true},
		{Allowed, "", "/org/**", "GET", "/organ", false},
		{Allowed, "", "/org/*", "GET", "/org/a/b", false},
		{Allowed, "", "/org/*", "GET", "/org/a/", true},
		{Allowed, "", "/org/", "GET", "/org", true},
		{Allowed, "", "/", "GET", "/", true},
		{Allowed, "", "/", "GET", "/x", false},
		{Allowed, "", "/Org/**", "GET", "/org/a", false},
		{Denied, "", "/Org/**", "GET", "/org/a", true},
		{Denied, "", "/**/git-receive-pack", "POST", "/o/r.git/Git-Receive-Pack", true},
		{Denied, "", "/**", "OPTIONS", "*", false},
		{Denied, "POST", "/a /b", "POST", "/b", true},
	} {
		r := requestRule(t, test.action, "example.com", test.methods, test.paths)
		if got := r.Matches(test.method, test.path); got != test.want {
			t.Errorf("%s: %s %s: %v", r, test.method, test.path, got)
		}
	}
}

func TestRequestRuleNeedsTermination(t *testing.T) {
	for _, test := range []struct{ host, exclude, want string }{
		{"a.example", "off", "without network.tlsTerminate"},
		{"a.example:443", "off", "without network.tlsTerminate"},
		{"a.example:80", "off", ""},
		{"a.example:3000", "off", ""},
		{"a.example", "", ""},
		{"a.example", "b.example", ""},
		{"a.example", "a.example", "a.example, which tlsTerminate.excludeDomains leaves closed"},
		{"a.example:8443", "a.example:443", ""},
		{"a.example:80", "a.example", ""},
		{"*.a.example", "a.example", ""},
		{"a.example", "*.a.example", ""},
		{"*.a.example", "b.a.example", "leaves closed"},
		{"b.a.example", "*.a.example", "leaves closed"},
		{"*.b.a.example", "*.a.example", "leaves closed"},
		{"*", "a.example", "leaves closed"},
		{"a.example", "*", "leaves closed"},
		{"*", "10.0.0.0/8", ""},
		{"10.1.0.0/16", "10.0.0.0/8", "leaves closed"},
	} {
		n := &Network{}
		if test.exclude != "off" {
			n.TLSTerminate = &TLSTerminate{}
		}
		if test.exclude != "off" && test.exclude != "" {
			n.TLSTerminate.ExcludeDomains = []DomainRule{{Pattern: requestRule(t, Denied, test.exclude, "", "").Host}}
		}
		why, _ := n.unreachable(requestRule(t, Denied, test.host, "", ""))
		if (why == "") != (test.want == "") || !strings.Contains(why, test.want) {
			t.Errorf("%s, exclude %q: %q, want %q", test.host, test.exclude, why, test.want)
		}
	}
}
