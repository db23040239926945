package policy

import (
	"fmt"
	"unicode"
)

// violationRule reads what is left out of the report of the runs that a command
// pattern covers.
func violationRule(command string, v value) (ViolationRule, error) {
	rule := ViolationRule{Command: command, Source: v.source()}
	err := v.each("text", func(e value) error {
		s, err := e.text()
		rule.Targets = append(rule.Targets, s)
		return err
	})
	return rule, err
}

// withheld is an entry of srt's credentials, of which srun takes mode "deny":
// files are not read and variables are withheld.
type withheld struct{ subject, mode string }

// credentialEntry names its subject by key, "path" or "name".
func credentialEntry(key string) form[withheld] {
	return objectOf([]part[withheld]{
		valuePart(key, "what is withheld", word(), func(c *withheld) *string { return &c.subject }),
		{"mode", func() string { return `{"enum": ["deny"]}` }, "deny", func(v value, c *withheld) (err error) { c.mode, err = v.text(); return err }},
		maskPart("extract"), maskPart("onExtractNoMatch"), maskPart("decode"), maskPart("maskClaims"), maskPart("maskDuplicates"),
		maskPart("injectHosts"),
	}, func(Source) withheld { return withheld{} }, func(v value, c *withheld) error {
		switch {
		case c.subject == "":
			return v.errorf("%q is missing", key)
		case c.mode != "deny":
			return v.errorf(`mode %q is not supported; write "deny"`, clip(c.mode))
		}
		return nil
	})
}

// maskPart is a key that srt takes with any mode and heeds with mode mask alone.
func maskPart(name string) part[withheld] {
	return part[withheld]{name, func() string { return `{}` }, "of mode mask", func(value, *withheld) error { return nil }}
}

// credentialsInto is a list of entries whose subjects, read by f, go into another
// setting's list.
func credentialsInto[T any](key string, f form[T], into func(*layer) *[]T) feed {
	of := credentialEntry(key)
	return feed{
		words: "list of objects", json: func() string { return listSchema(of.jsonSchema()) },
		into: func(v value) error {
			return v.each("objects", func(e value) error {
				c, err := of.read(e)
				if err != nil {
					return err
				}
				x, err := f.parseFlag(c.subject, e.place())
				if err != nil {
					return e.errorf("%w", err)
				}
				*into(v.r.layer) = append(*into(v.r.layer), x)
				return nil
			})
		},
	}
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

// violationTargets is one value of ignoreViolations, in words and schema.
func violationTargets() form[ViolationRule] {
	return form[ViolationRule]{one: "lists", many: "lists", schema: textListSchema}
}
