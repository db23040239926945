package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// maxDepth bounds how deep a settings file may nest: the JSON parser recurses.
const maxDepth = 64

// parseSettings reads one file of any of the three shapes into r.layer.
func (r *reader) parseSettings() error {
	if err := checkDepth(r.data); err != nil {
		return &Error{File: r.path, Msg: err.Error(), Err: err}
	}
	root, err := hujson.Parse(r.data)
	if err != nil {
		return r.syntaxError(err)
	}
	v := value{r: r, val: &root}
	obj, ok := root.Value.(*hujson.Object)
	if !ok {
		return v.wrongType("an object")
	}
	if r.claude = isClaudeShaped(obj); r.claude {
		return v.object(claudeFields(), true)
	}
	return v.object(fieldsOf("", ownShape), false)
}

// claudeFields are what is read of Claude Code's files.
func claudeFields() []field {
	return []field{
		{"sandbox", func(v value) error { return v.object(fieldsOf("", claudeSandbox), false) }},
		{"permissions", func(v value) error { return v.object(fieldsOf("permissions", claudeTopLevel), true) }},
	}
}

// isClaudeShaped tells Claude Code's settings, which keep srun's keys inside
// "sandbox", from the other two shapes.
func isClaudeShaped(obj *hujson.Object) bool {
	for i := range obj.Members {
		m := &obj.Members[i]
		value, _ := m.Value.Value.(hujson.Literal)
		switch m.Name.Value.(hujson.Literal).String() {
		case "sandbox":
			return true
		case "$schema":
			if strings.Contains(value.String(), "claude-code") {
				return true
			}
		}
	}
	return false
}

// syntaxError takes the place out of hujson's message, which has it in front.
func (r *reader) syntaxError(err error) error {
	if len(strings.TrimSpace(string(r.data))) == 0 {
		return &Error{File: r.path, Msg: "the file is empty", Hint: "write {} for no settings"}
	}
	var line, column int
	msg := err.Error()
	if _, scan := fmt.Sscanf(msg, "hujson: line %d, column %d:", &line, &column); scan == nil {
		_, msg, _ = strings.Cut(msg, ": ")
		_, msg, _ = strings.Cut(msg, ": ")
		msg = fmt.Sprintf("column %d: %s", column, msg)
	}
	return &Error{File: r.path, Line: line, Msg: "not valid JSON: " + printable(msg), Err: err}
}

// checkDepth refuses nesting beyond maxDepth, strings and comments aside.
func checkDepth(data []byte) error {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '/':
			i = skipComment(data, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return errors.New("nested too deeply")
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// skipComment returns the place of the last byte of the comment at i, or i.
func skipComment(data []byte, i int) int {
	end := "\n"
	switch {
	case bytes.HasPrefix(data[i:], []byte("/*")):
		end = "*/"
	case !bytes.HasPrefix(data[i:], []byte("//")):
		return i
	}
	n := bytes.Index(data[i+2:], []byte(end))
	if n < 0 {
		return len(data)
	}
	return i + 1 + n + len(end)
}
