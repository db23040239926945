package policy

import (
	"strconv"
	"strings"
	"unicode"
)

// Error says which setting is wrong, and where. Its text is one line:
//
//	/p/.srun/settings.json:4: network.allowDomains: unknown key; did you mean network.allowedDomains?
//	--allow-domain: "*.com": a wildcard over the public suffix "com" ...
type Error struct {
	File string // absolute path of the settings file, or ""
	Line int    // 1 is the first line; 0 when the whole file is meant
	Flag string // the flag, when no file is to blame
	Key  string // the setting, "network.allowedDomains", or ""
	Msg  string
	Hint string // what to do about it, may be ""
	Err  error  // the cause, may be nil

	Remedy Remedy // what to do about it, where that is an act of the program's
}

// Remedy is what mends an error or notice, for who shows it to put in words.
type Remedy int

// The remedies; the zero Remedy is none.
const (
	RemedyTrust  Remedy = iota + 1 // trust the project's files
	RemedyReview                   // look at the file, then trust it
	RemedyForget                   // remove the record, then trust again
)

// Error returns the one line.
func (e *Error) Error() string {
	var parts []string
	if where := (Source{File: e.File, Line: e.Line, Flag: e.Flag}).String(); where != "" {
		parts = append(parts, printable(where))
	}
	if e.Key != "" {
		parts = append(parts, printable(e.Key))
	}
	text := strings.Join(append(parts, e.Msg), ": ")
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Notice is something the user should know that does not stop the run.
type Notice struct {
	Source Source
	Msg    string
	Remedy Remedy
}

// String returns one line, without the "srun: " that the caller puts before it.
func (n Notice) String() string {
	if where := n.Source.String(); where != "" {
		return printable(where) + ": " + n.Msg
	}
	return n.Msg
}

// printable quotes s when it holds what could move a terminal's cursor.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return strconv.Quote(s)
	}
	return s
}

// Nearest returns the candidate that word may be a slip of, "" for none: a third
// of the word at most may be otherwise.
func Nearest(word string, candidates []string) string {
	best := nearest(word, candidates)
	if best == "" || distance(strings.ToLower(word), strings.ToLower(best)) > max(1, len(word)/3) {
		return ""
	}
	return best
}

// nearest returns the candidate with the smallest edit distance to key. The
// last component counts for most, so that a key in the wrong object finds its
// place.
func nearest(key string, candidates []string) string {
	best, least := "", int(^uint(0)>>1)
	for _, c := range candidates {
		d := 100*distance(leaf(key), leaf(c)) + distance(key, c)
		if d < least {
			best, least = c, d
		}
	}
	return best
}

func leaf(key string) string { return strings.ToLower(key[strings.LastIndexByte(key, '.')+1:]) }

// distance is Levenshtein's, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
