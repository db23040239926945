package http1

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestRequestPath(t *testing.T) {
	for target, want := range map[string]string{
		"/": "/", "*": "*", "/?x=/../%2f": "/", "/a/b/": "/a/b/", "/%61%2D%7e": "/a-~", "/a%20b": "/a b",
		"/%E4%B8%AD": "/中", "/a.b/.git": "/a.b/.git", "/@scope/x": "/@scope/x", "/a:b%3Fc%23d": "/a:b?c#d",
		"/%2A": "/*", "/a+b": "/a+b",
	} {
		if got, err := RequestPath(target); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", target, got, err, want)
		}
	}
	for _, target := range []string{
		"", "a", "http://x/", "/#", "/..", "/../", "/a/../b", "/a/./b", "/.", "/%2e", "/%2E%2e/", "/...", "/a./b", "/a%20/b",
		"//", "/a//b", "//a", "/%", "/%2", "/%zz", "/%2f", "/%2F", "/%5c", "/\\", "/a;b", "/%3b", "/%25", "/%252e",
		"/%00", "/%0a", "/\x01", "/\x7f", "/%ff", "/\xc0\xaf", "/%c0%ae%c0%ae/",
	} {
		if got, err := RequestPath(target); err == nil {
			t.Errorf("%q: %q", target, got)
		}
	}
}

// A path that is taken is one path to every server: cleaned, decoded once more
// or split at other separators it is itself; and written out it reads as
// itself.
func FuzzRequestPath(f *testing.F) {
	for _, s := range []string{"/", "/a/%2e%2e/b", "/a%2fb", "/%252e", "//", "/a;b/c", "/x./y", "/é%c3%a9", "*", "/a?b", "/%5c.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, err := RequestPath(target)
		if err != nil || got == "*" {
			return
		}
		if cleaned := path.Clean(got); cleaned != got && cleaned+"/" != got {
			t.Errorf("%q: %q cleans to %q", target, got, cleaned)
		}
		if again, err := url.PathUnescape(got); err == nil && again != got {
			t.Errorf("%q: %q decodes again to %q", target, got, again)
		}
		if strings.ContainsAny(got, "\\;\x00\r\n") || strings.Contains(got+"/", "./") || strings.Contains(got, "//") {
			t.Errorf("%q: %q", target, got)
		}
		raw, _, _ := strings.Cut(target, "?")
		if strings.Count(raw, "/") != strings.Count(got, "/") {
			t.Errorf("%q: %q has other segments", target, got)
		}
		written := (&url.URL{Path: got}).EscapedPath()
		if again, err := RequestPath(written); err != nil || again != got {
			t.Errorf("%q: %q, written %q, reads %q, %v", target, got, written, again, err)
		}
	})
}
