package gitfiles

import (
	"regexp"
	"sync"
)

// expression returns a regular expression that is compiled when it is first used: to
// compile those of this package takes longer than any other part of a start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
