package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"srun/policy"
	"srun/policy/pathtree"
)

// maxGlobbed bounds what is compared with one glob.
const maxGlobbed = 50_000

// addGlob takes a rule with wildcards: as one for each path that matches now,
// and for the path that is named exactly so. What the command makes or moves
// there later is the broker's to refuse; what the host makes, nobody's.
func (b *builder) addGlob(r policy.PathRule, as point) error {
	base, pattern := doublestar.SplitPattern(r.Path)
	fail := func(err error) error { return fmt.Errorf("%s: the glob %s: %w", r.Source, Quoted(r.Path), err) }
	at, err := b.host.Find(base)
	if err != nil {
		return fail(err)
	}
	if (as.DenyWrite || as.DenyRead) && b.growing(at.Path, pattern) != "" {
		b.globs = append(b.globs, globRule(r, as, escapeGlob(at.Path)+"/"+pattern))
	}
	r.Glob, r.Missing = false, false
	g := globber{files: b.host, pattern: pattern, within: map[FileID]bool{}}
	if !at.Missing {
		if err := g.walk(at.Path, ""); err != nil {
			return fail(err)
		}
	}
	for _, match := range append(g.found, pattern) {
		r.Path = filepath.Join(base, match)
		p, err := b.host.Find(r.Path)
		if match == pattern && (err != nil || p.Missing) {
			continue // nobody's name
		}
		if r.Source.Tier == policy.TierDefault && as.AllowRead && (err != nil || p.Dir || p.Path != filepath.Join(at.Path, match)) {
			continue // what is no secret is a file, and not what a link by that name leads to
		}
		if err := b.add(r, as); err != nil {
			return err
		}
	}
	return nil
}

// globRule is a glob for the broker; what may not be read is not made either.
func globRule(r policy.PathRule, as point, pattern string) Glob {
	m := MissingPath{Path: r.Path, Reason: r.Reason, Source: r.Source}
	if m.Reason == "" && as.DenyRead {
		m.Reason = "denied by filesystem.denyRead"
	}
	return Glob{Pattern: path.Clean(pattern), Why: m.why(r.Path)}
}

var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`)

func escapeGlob(path string) string { return globEscaper.Replace(path) }

// growing returns a writable path in which something that matches the pattern
// below base could be made, or "".
func (b *builder) growing(base, pattern string) string {
	for _, n := range b.roots {
		switch {
		case !n.AllowWrite:
		case pathtree.Contains(n.Path, base):
			return n.Path
		case pathtree.Contains(base, n.Path) && reaches(pattern, strings.TrimPrefix(strings.TrimPrefix(n.Path, base), "/")):
			return n.Path
		}
	}
	return ""
}

// reaches reports whether a pattern could match something below a path.
func reaches(pattern, path string) bool {
	parts, names := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, part := range parts {
		if strings.Contains(part, "**") || strings.ContainsAny(part, "{}") {
			return true
		}
		if i == len(names) {
			return true
		}
		if ok, _ := doublestar.Match(part, names[i]); !ok {
			return false
		}
	}
	return false
}

// globber compares a tree with a pattern.
type globber struct {
	files   Files
	pattern string
	found   []string        // relative
	within  map[FileID]bool // the directories that the walk is in
	entries int
}

// walk goes into links to directories as well, for what is denied must not be
// missed, but not round in circles.
func (g *globber) walk(dir, rel string) error {
	id, err := g.files.ID(dir)
	if err != nil || g.within[id] {
		return err
	}
	g.within[id] = true
	defer delete(g.within, id)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrPermission) {
		if _, err := os.Lstat(dir + "/."); err != nil {
			return nil // closed to the command too
		}
	}
	if err != nil {
		return err
	}
	if g.entries += len(entries); g.entries > maxGlobbed {
		return fmt.Errorf("more than %d files to compare with it; begin it with a narrower directory", maxGlobbed)
	}
	for _, e := range entries {
		name, path := filepath.Join(rel, e.Name()), filepath.Join(dir, e.Name())
		if ok, _ := doublestar.Match(g.pattern, name); ok {
			g.found = append(g.found, name)
			continue // with all that is below it
		}
		if !g.deeper(name) || !e.IsDir() && e.Type() != fs.ModeSymlink {
			continue
		}
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			continue
		}
		if err := g.walk(path, name); err != nil {
			return err
		}
	}
	return nil
}

// deeper reports whether something below a name could match.
func (g *globber) deeper(name string) bool {
	parts := strings.Split(g.pattern, "/")
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, "**") || strings.ContainsAny(p, "{}") }) ||
		strings.Count(name, "/")+1 < len(parts)
}
