package gitfiles

import "strings"

// Entry is one line of a git configuration file.
type Entry struct {
	Section    string // lower case
	Subsection string
	Key        string // lower case
	Value      string // "" also where the key stands alone
}

// Parse reads a configuration file as git-config(1) describes the syntax. What
// git would refuse is left out, for git then runs nothing of the file.
func Parse(data []byte) []Entry {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	p := parser{rest: strings.TrimPrefix(text, "\uFEFF")}
	for p.skipSpace(); p.rest != ""; p.skipSpace() {
		switch p.rest[0] {
		case '#', ';':
			p.skipLine()
		case '[':
			p.header()
		default:
			p.entry()
		}
	}
	return p.entries
}

type parser struct {
	rest                string
	section, subsection string
	entries             []Entry
}

func (p *parser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\r\n\v\f") }

func (p *parser) skipLine() {
	_, p.rest, _ = strings.Cut(p.rest, "\n")
}

// header reads [section], [section "subsection"] or the old [section.subsection].
func (p *parser) header() {
	end := strings.IndexAny(p.rest, "]\"\n")
	if end < 0 || p.rest[end] == '\n' {
		p.skipLine()
		return
	}
	name := strings.TrimSpace(p.rest[1:end])
	quoted := p.rest[end] == '"'
	p.rest = p.rest[end+1:]
	p.section, p.subsection, _ = strings.Cut(strings.ToLower(name), ".")
	if !quoted {
		return
	}
	var sub strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.section, p.subsection = strings.ToLower(name), sub.String()
			p.rest = strings.TrimPrefix(strings.TrimLeft(p.rest[i+1:], " \t"), "]")
			return
		case c == '\n':
			p.rest = p.rest[i:]
			return
		case c == '\\' && i+1 < len(p.rest):
			i++
			sub.WriteByte(p.rest[i])
		default:
			sub.WriteByte(c)
		}
	}
	p.rest = ""
}

func (p *parser) entry() {
	end := strings.IndexAny(p.rest, "=\n#;")
	if end < 0 {
		end = len(p.rest)
	}
	e := Entry{Section: p.section, Subsection: p.subsection, Key: strings.ToLower(strings.TrimSpace(p.rest[:end]))}
	p.rest = p.rest[end:]
	if after, ok := strings.CutPrefix(p.rest, "="); ok {
		p.rest = after
		e.Value = p.value()
	} else {
		p.skipLine()
	}
	p.entries = append(p.entries, e)
}

// value reads to the end of the line, which a backslash moves to the next.
// Space at both ends is not part of it, unless quoted, nor is a comment.
func (p *parser) value() string {
	var v strings.Builder
	quoted, keep := false, 0
	i := len(p.rest) - len(strings.TrimLeft(p.rest, " \t"))
	for ; i < len(p.rest) && p.rest[i] != '\n'; i++ {
		switch c := p.rest[i]; {
		case c == '"':
			quoted = !quoted
			keep = v.Len()
			continue
		case !quoted && (c == '#' || c == ';'):
			p.rest = p.rest[i:]
			p.skipLine()
			return v.String()[:keep]
		case c == '\\':
			if i++; i < len(p.rest) && p.rest[i] != '\n' {
				v.WriteByte(unescape(p.rest[i]))
			}
		default:
			v.WriteByte(c)
			if !quoted && (c == ' ' || c == '\t' || c == '\r') {
				continue
			}
		}
		keep = v.Len()
	}
	p.rest = p.rest[min(i, len(p.rest)):]
	return v.String()[:keep]
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	}
	return c
}
