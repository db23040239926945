//go:build !idna

package policy

import "errors"

// toASCII refuses international names. It stands in for idna_lookup.go until
// go.sum lists golang.org/x/text, which golang.org/x/net/idna imports.
func toASCII(string) (string, error) {
	return "", errors.New("international names need their xn-- spelling in this build")
}
