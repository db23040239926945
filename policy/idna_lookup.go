package policy

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// toASCII turns an international name into A-labels as a browser does before
// it looks the name up (UTS 46, non-transitional, with the bidi rule).
func toASCII(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("not UTF-8") // idna maps a broken byte to U+FFFD, a name of its own
	}
	a, err := idna.Lookup.ToASCII(s)
	if err != nil || !isASCII(a) {
		return "", errors.New("not a valid international name")
	}
	if err := checkBytes(a); err != nil {
		return "", err
	}
	return a, nil
}
