package policy

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/tailscale/hujson"
)

func (v value) flag(o *opt[bool]) error {
	b, err := v.bool()
	*o = setting(b, v.source())
	return err
}

// managedFlag reads a key that only a managed file may set.
func (v value) managedFlag(o *opt[bool]) error {
	b, err := v.bool()
	switch {
	case err != nil:
		return err
	case v.r.tier == TierManaged:
		*o = setting(b, v.source())
	case v.r.claude:
		v.r.layer.notices = append(v.r.layer.notices, Notice{v.source(), v.key + " counts in a managed file only: ignored"})
	default:
		return v.errorf("only a managed settings file may set it")
	}
	return nil
}

func (v value) port(o *opt[int]) error {
	n, err := v.int(1, math.MaxUint16)
	*o = setting(n, v.source())
	return err
}

func (v value) entries(list *[]Entry) error {
	return v.each("text", func(e value) error {
		s, err := e.text()
		*list = append(*list, Entry{s, e.source()})
		return err
	})
}

func (v value) domains(list *[]DomainRule) error {
	return v.each("domain patterns", func(e value) error {
		s, err := e.text()
		if err != nil {
			return err
		}
		p, err := ParsePattern(s)
		if err != nil {
			return e.errorf("%w", err)
		}
		*list = append(*list, DomainRule{Pattern: p, Source: e.source()})
		return nil
	})
}

// paths reads a list of paths and globs; {"path": …, "literal": true} is a
// path whose wildcards are its name.
func (v value) paths(list *[]PathRule) error {
	return v.each("paths", func(e value) error {
		s, literal, err := e.pathEntry()
		if err != nil {
			return err
		}
		if v.r.claude && strings.HasPrefix(s, "//") {
			s = s[1:]
		}
		rule, err := parsePath(s, v.r.base, v.r.home, literal)
		if err != nil {
			return e.errorf("%q: %w", clip(s), err)
		}
		rule.Source = e.source()
		*list = append(*list, rule)
		return nil
	})
}

func (v value) pathEntry() (path string, literal bool, err error) {
	if _, ok := v.val.Value.(*hujson.Object); !ok {
		path, err = v.text()
		return path, false, err
	}
	err = v.object([]field{
		{"path", func(v value) (err error) { path, err = v.text(); return err }},
		{"literal", func(v value) (err error) { literal, err = v.bool(); return err }},
	}, false)
	if err == nil && path == "" {
		err = v.errorf(`the "path" of an entry is missing`)
	}
	return path, literal, err
}

func (v value) envGlobs(list *[]EnvRule) error {
	return v.each("variable globs", func(e value) error {
		s, err := e.text()
		if err != nil {
			return err
		}
		if err := checkEnvGlob(s); err != nil {
			return e.errorf("%q: %w", clip(s), err)
		}
		*list = append(*list, EnvRule{Glob: s, Source: e.source()})
		return nil
	})
}

func checkEnvGlob(s string) error {
	if s == "" {
		return errors.New("an empty variable name")
	}
	if strings.ContainsAny(s, "=\x00") {
		return errors.New("a variable's name has no '='")
	}
	return nil
}

// ignoreViolations reads a map of command pattern to what is left out of the
// report.
func (v value) ignoreViolations() error {
	return v.members("lists", func(name string, v value) error {
		rule := ViolationRule{Command: name, Source: v.source()}
		err := v.each("text", func(e value) error {
			s, err := e.text()
			rule.Targets = append(rule.Targets, s)
			return err
		})
		v.r.layer.ignore = append(v.r.layer.ignore, rule)
		return err
	})
}

// unused is a key of srt's that has nothing to act on in srun.
func (v value) unused() error {
	v.r.layer.unused = append(v.r.layer.unused, v.key)
	return nil
}

// neverUnsandboxed notes a setting that asks for less than the sandbox.
func (r *reader) neverUnsandboxed(v value) {
	r.layer.notices = append(r.layer.notices, Notice{v.source(), v.key + " ignored: no file makes srun run a command unsandboxed"})
}

// credentialFields are srt's credentials object, of which srun takes mode
// "deny": files are not read and variables are withheld.
func credentialFields() []field {
	return []field{
		{"files", func(v value) error { return v.each("objects", value.credentialFile) }},
		{"envVars", func(v value) error { return v.each("objects", value.credentialVariable) }},
	}
}

func (v value) credentialFile() error {
	path, err := v.credential("path")
	if err != nil {
		return err
	}
	rule, err := parsePath(path, v.r.base, v.r.home, false)
	if err != nil {
		return v.errorf("%q: %w", clip(path), err)
	}
	rule.Source = v.source()
	v.r.layer.denyRead = append(v.r.layer.denyRead, rule)
	return nil
}

func (v value) credentialVariable() error {
	name, err := v.credential("name")
	if err != nil {
		return err
	}
	if err := checkEnvGlob(name); err != nil {
		return v.errorf("%q: %w", clip(name), err)
	}
	v.r.layer.envDeny = append(v.r.layer.envDeny, EnvRule{Glob: name, Source: v.source()})
	return nil
}

func (v value) credential(key string) (subject string, err error) {
	mode := ""
	err = v.object([]field{
		{key, func(v value) (err error) { subject, err = v.text(); return err }},
		{"mode", func(v value) (err error) { mode, err = v.text(); return err }},
	}, false)
	switch {
	case err != nil:
		return "", err
	case subject == "":
		return "", v.errorf("%q is missing", key)
	case mode != "deny":
		return "", v.errorf(`mode %q is not supported; write "deny"`, clip(mode))
	}
	return subject, nil
}

// plainText refuses what could move a terminal's cursor or forge a line.
func plainText(s string) error {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("has the unprintable character %q", r)
		}
	}
	return nil
}
