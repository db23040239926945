// Package direnv tells which other files an .envrc has direnv read. Direnv asks
// before it runs an .envrc that changed, and not for what that one loads.
//
// # Limitations
//
// Only a line that begins with one of direnv's words for loading, or the
// shell's, and names a file as it stands is understood (direnv-stdlib(1)).
package direnv

import (
	"slices"
	"strings"
)

// MaxSize bounds what is read of an .envrc, in bytes.
const MaxSize = 64 << 10

// Reason is why such a file is protected.
const Reason = "an .envrc beside it has direnv load it"

// loaders are the words that a file follows, and the file where none does.
var loaders = map[string]string{
	"dotenv": ".env", "dotenv_if_exists": ".env",
	"source_env": "", "source_env_if_exists": "",
	"source": "", ".": "",
}

// leading are words of the shell's that a command follows.
var leading = []string{"then", "do", "else", "{", "(", "!", "if", "elif", "while", "until", "time", "eval", "command", "builtin"}

// Loads returns the files that an .envrc with this content loads, relative to
// its directory unless absolute or in the home (~/). One may be a directory, of
// which source_env means the .envrc.
func Loads(envrc []byte) (files []string) {
	if len(envrc) > MaxSize {
		envrc = envrc[:MaxSize]
	}
	for line := range strings.FieldsFuncSeq(string(envrc), func(r rune) bool { return strings.ContainsRune("\n;&|", r) }) {
		words := strings.Fields(line)
		for len(words) > 0 && slices.Contains(leading, words[0]) {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		file, loads := loaders[words[0]]
		if len(words) > 1 && !strings.HasPrefix(words[1], "#") {
			file = plain(words[1])
		}
		if !loads || file == "" {
			continue
		}
		files = append(files, file)
	}
	return files
}

// plain takes a word's quotes away, and the directory that a variable or a
// command stands for: mostly it is $PWD.
func plain(word string) string {
	word = strings.Trim(word, `"'`)
	switch rest, ok := strings.CutPrefix(word, "$HOME/"); {
	case ok:
		return "~/" + rest
	case strings.HasPrefix(word, "$"):
		_, word, _ = strings.Cut(word, "/")
	}
	if strings.ContainsAny(word, "$`*?\\") {
		return ""
	}
	return word
}
