package policy

import (
	"path/filepath"
	"strings"
)

// allowedPermissions is permissions.allow, and keeps the entries of all three
// lists; those that allow are what loosens.
type allowedPermissions struct{ *list[Permission] }

func (k allowedPermissions) read(v value) error { return v.permissions("allow") }

func permissionsToAllow() allowedPermissions {
	f := form[Permission]{many: "text"}
	allows := func(p Permission) bool { return p.Action == "allow" }
	return allowedPermissions{manySome(f, allows, func(l *layer) *[]Permission { return &l.permissions })}
}

// otherPermissions are the lists "deny" and "ask".
func otherPermissions(action string) feed {
	return feed{
		words: "list of text", json: textListSchema,
		into: func(v value) error { return v.permissions(action) },
	}
}

// permissions reads one list of Claude Code's grammar. WebFetch(domain:x),
// Edit(path) and Read(path) become rules of srun's own; others are left out
// with one line for the list.
func (v value) permissions(action string) error {
	var left []string
	err := v.each("text", func(e value) error {
		s, err := e.text()
		if err != nil {
			return err
		}
		v.r.layer.permissions = append(v.r.layer.permissions, Permission{action, s, e.source()})
		used, err := e.permission(action, s)
		if !used {
			left = append(left, clip(s))
		}
		return err
	})
	if err == nil && len(left) > 0 {
		v.r.notice(v, v.key+": left out, not about files or domains: "+printable(strings.Join(left, ", ")))
	}
	return err
}

// permission turns one line into a rule, and returns false for a line that is
// about something else. Nothing is asked about files, so "ask" makes no rule.
func (v value) permission(action, s string) (used bool, err error) {
	tool, argument, ok := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	if !ok || !strings.HasSuffix(s, ")") || argument == "" || action == "ask" {
		return false, nil
	}
	l := v.r.layer
	allow := action == "allow"
	switch tool {
	case "WebFetch":
		domain, ok := strings.CutPrefix(argument, "domain:")
		if !ok {
			return false, nil
		}
		return true, v.permittedDomain(domain, pick(allow, &l.allow, &l.deny))
	case "Edit", "Write":
		return true, v.permittedPath(argument, pick(allow, &l.allowWrite, &l.denyWrite))
	case "Read":
		return true, v.permittedPath(argument, pick(allow, &l.allowRead, &l.denyRead))
	}
	return false, nil
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func (v value) permittedDomain(domain string, list *[]DomainRule) error {
	p, err := ParsePattern(domain)
	if err != nil {
		return v.errorf("%w", err)
	}
	*list = append(*list, DomainRule{Pattern: p, Source: v.source()})
	return nil
}

// permittedPath reads a path by Claude Code's rules: //x is absolute, ~/x in
// the home, /x below the directory of the settings, and x below the cwd.
func (v value) permittedPath(path string, list *[]PathRule) error {
	switch {
	case strings.HasPrefix(path, "//"):
		path = path[1:]
	case strings.HasPrefix(path, "/"):
		path = filepath.Join(v.r.base, path)
	}
	rule, err := parsePath(path, v.r.base, v.r.home, false)
	if err != nil {
		return v.errorf("%q: %w", clip(path), err)
	}
	rule.Source = v.source()
	*list = append(*list, rule)
	return nil
}
