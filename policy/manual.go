package policy

// Setting describes one setting for those who list it: a command line, a
// completion, a manual.
type Setting struct {
	Key   string // "network.allowedDomains"; "" is what a flag alone sets
	Takes string // what a file writes, in words
	About string // one sentence

	Untrusted string // what becomes of it in an untrusted file; "" where it holds

	Flag   string // without its dashes; "" is none
	Usage  string // one line of help, the value's name in backquotes
	Switch bool   // the flag has no value
	Repeat bool   // the flag may be given more than once
}

// Settings returns every setting, in the order of the manual.
func Settings() []Setting {
	var all []Setting
	for _, s := range table() {
		all = append(all, Setting{
			Key: s.key, Takes: s.kind.takes(), About: s.about,
			Untrusted: s.untrusted(),
			Flag:      s.flag.name, Usage: s.flag.usage,
			Switch: s.kind.arity() == noValue, Repeat: s.kind.arity() == manyValues,
		})
	}
	return all
}

// untrusted says what becomes of the setting in a project's file that is not
// trusted.
func (s *setting) untrusted() string {
	switch s.kind.loosens() {
	case lowest:
		return "where lower"
	case everyEntry, always:
		return "ignored"
	case whenTrue:
		return "true ignored"
	case whenFalse:
		return "false ignored"
	case stricter:
		return "where stricter"
	case someEntries:
		return "allows ignored"
	}
	return ""
}
