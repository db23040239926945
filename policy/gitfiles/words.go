package gitfiles

import "strings"

// word is one of a command line that may be the path of a file.
type word struct {
	text  string
	first bool // of the whole line
	name  bool // in the place of a command: without a slash, it is looked up in PATH
	data  bool // git's own argument: without a slash, no program is given it to run
}

const separators = " \t\n'\"`;|&<>()="

// starterWords are the shell's own that a command follows.
var starterWords = map[string]bool{
	"{": true, "}": true, "!": true, "if": true, "then": true, "elif": true, "else": true,
	"while": true, "until": true, "do": true, "exec": true, "time": true,
}

// gitRuns are git's words that a command line or configuration follows, by how
// they begin.
var gitRuns = []string{"-c", "-x", "-O", "--exec", "--extcmd", "--upload-pack", "--receive-pack", "run", "foreach", "filter-branch"}

// words takes a command line apart. What is quoted is taken apart as well, for
// it can be one in turn (sh -c '...'); git tells that the line is arguments of git.
func words(line string, git bool) []word {
	s := splitter{rest: line, place: place{name: !git, git: git}}
	for s.next() {
	}
	return s.words
}

// place is where a splitter is in a command.
type place struct {
	name bool // the next word is in the place of a command
	git  bool // the command is git
	runs bool // and it runs what follows
}

type splitter struct {
	rest  string
	words []word
	place
	outer []place // of the commands that this one is put into, by ( or `
	ticks bool
}

// next takes a separator or a word.
func (s *splitter) next() bool {
	if s.rest == "" {
		return false
	}
	if c := s.rest[0]; strings.IndexByte(separators, c) >= 0 {
		s.separator(c)
		return true
	}
	text := s.until(separators)
	value, assigned := strings.CutPrefix(s.rest, "=")
	switch {
	case s.name && assigned:
		s.value(value)
	case s.name && starterWords[text]:
	default:
		s.take(text)
	}
	return true
}

// until takes what comes before any of chars.
func (s *splitter) until(chars string) (text string) {
	end := strings.IndexAny(s.rest, chars)
	if end < 0 {
		end = len(s.rest)
	}
	text, s.rest = s.rest[:end], s.rest[end:]
	return text
}

func (s *splitter) separator(c byte) {
	function := strings.HasPrefix(s.rest, "()")
	s.rest = s.rest[1:]
	closes := c == ')' || c == '`' && s.ticks
	if c == '`' {
		s.ticks = !s.ticks
	}
	switch {
	case function || strings.IndexByte("\n;|&", c) >= 0:
		s.place = place{name: true}
		s.rest = strings.TrimPrefix(s.rest, ")")
	case closes:
		if n := len(s.outer); n > 0 {
			s.place, s.outer = s.outer[n-1], s.outer[:n-1]
		}
		if after := strings.TrimLeft(s.rest, `"`); strings.HasPrefix(after, "/") {
			s.rest = "." + after // in the directory that the command prints
		}
	case c == '(' || c == '`':
		s.outer = append(s.outer, s.place)
		s.place = place{name: true}
	}
}

// value takes what a variable of a command's environment is set to; the command
// is still to come.
func (s *splitter) value(rest string) {
	end := " \t\n;|&"
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		end, rest = rest[:1], rest[1:]
	}
	s.rest = rest
	if text := s.until(end); text != "" {
		s.words = append(s.words, word{text: text})
	}
}

func (s *splitter) take(text string) {
	s.words = append(s.words, word{text: text, first: len(s.words) == 0, name: s.name, data: s.git && !s.runs})
	if short := text; len(short) > 2 && short[0] == '-' && short[1] != '-' {
		s.words = append(s.words, word{text: short[2:], data: s.git && !s.runs}) // -fFILE
	}
	if s.name {
		s.git = text == "git" || strings.HasSuffix(text, "/git")
	}
	for _, begin := range gitRuns {
		s.runs = s.runs || strings.HasPrefix(text, begin)
	}
	s.name = false
}

// path returns the word as a path, "" where it is none. What a shell puts in for
// a variable or a command in front of a slash is taken as the directory that
// relative paths begin at: mostly it is $PWD, or git rev-parse --show-toplevel.
func (w word) path() string {
	text := w.text
	if i := strings.LastIndexByte(text, '$'); i >= 0 {
		variable, rest, found := strings.Cut(text[i+1:], "/")
		switch {
		case !found:
			return ""
		case strings.Trim(variable, "{}") == "HOME":
			text = "~/" + rest
		default:
			text = rest
		}
	}
	switch {
	case text == "" || strings.ContainsAny(text, "*?\\") || text[0] == '%':
		return ""
	case !strings.Contains(w.text, "/") && (w.name || w.data):
		return ""
	}
	return text
}
