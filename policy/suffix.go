package policy

import "golang.org/x/net/publicsuffix"

// isPublicSuffix reports whether a wildcard below name would span names of
// different owners under an ICANN rule of the public suffix list. The second
// look-up catches rules that are wildcards themselves, such as *.ck.
func isPublicSuffix(name string) bool {
	if suffix, icann := publicsuffix.PublicSuffix(name); icann && suffix == name {
		return true
	}
	below := "0." + name
	suffix, icann := publicsuffix.PublicSuffix(below)
	return icann && suffix == below
}
