package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// parsePath resolves one entry of a path list: ~ is the home, a relative path
// is below base, and a final "/**" is left out, for a path covers all below it.
func parsePath(s, base, home string, literal bool) (PathRule, error) {
	switch {
	case s == "":
		return PathRule{}, errors.New("an empty path")
	case strings.IndexByte(s, 0) >= 0:
		return PathRule{}, errors.New("has a NUL byte")
	}
	if top, ok := strings.CutSuffix(s, "/**"); ok && top != "" && !literal {
		s = top
	}
	glob := !literal && strings.ContainsAny(s, wildcards)
	if glob { // what is not the user's own word has none
		base, home = escapeGlob(base), escapeGlob(home)
	}
	path, err := expandHome(s, base, home)
	if err != nil {
		return PathRule{}, err
	}
	rule := PathRule{Path: filepath.Clean(path), Literal: literal, Glob: glob}
	if glob && !doublestar.ValidatePattern(rule.Path) {
		return PathRule{}, errors.New("not a valid glob")
	}
	return rule, nil
}

// wildcards make a path a glob.
const wildcards = `*?[{`

// escapeGlob returns a pattern that matches path alone.
func escapeGlob(path string) string {
	if !strings.ContainsAny(path, wildcards+`\`) {
		return path
	}
	return globEscaper.Replace(path)
}

var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`)

func expandHome(s, base, home string) (string, error) {
	switch {
	case s == "~" || strings.HasPrefix(s, "~/"):
		if home == "" {
			return "", errors.New("'~' cannot be resolved: no home directory is known")
		}
		return home + s[1:], nil
	case s[0] == '~':
		return "", errors.New("only ~/ is expanded; write ./~ for a file of that name, or the home of another user in full")
	case filepath.IsAbs(s):
		return s, nil
	}
	return filepath.Join(base, s), nil
}

// missing reports whether nothing is at the rule's path. What cannot be looked
// at counts as there: it is not for this check to hide a denied path.
func (r PathRule) missing() bool {
	if r.Glob {
		return false
	}
	_, err := os.Stat(r.Path)
	return errors.Is(err, os.ErrNotExist)
}
