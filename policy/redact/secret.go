package redact

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secretWords are what a key has in it, small and without signs, whose value is
// nobody's business: a login is half a secret.
var secretWords = []string{
	"token", "passw", "passphrase", "pwd", "secret", "credential", "private", "apikey", "accesskey", "keyfile", "certfile",
	"otp", "cookie", "session", "signature", "signing", "username", "login", "ident", "bearer", "oauth", "webhook", "header",
}

// secretParts are what a whole part of one is: "key" is a secret and "keyboard" is none.
var secretParts = []string{"key", "keys", "cert", "user", "pass", "pw", "psw", "pin", "pat", "jwt", "sig", "sas", "cred", "creds"}

// parts cuts a key at its signs and at capitals.
func parts(key string) []string {
	var b strings.Builder
	for i, r := range key[strings.LastIndexByte(key, ':')+1:] {
		switch {
		case r >= 'A' && r <= 'Z':
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteRune(r + 'a' - 'A')
		case letter(r) || digit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return append(strings.Fields(b.String()), strings.ToLower(key))
}

// secretKey tells whether a key's value is secret by the key's name.
func secretKey(key string) bool {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, key[strings.LastIndexByte(key, ':')+1:])
	for _, part := range parts(key) {
		if slices.Contains(secretParts, part) {
			return true
		}
	}
	if strings.Contains(strings.ReplaceAll(plain, "author", ""), "auth") {
		return true
	}
	for _, word := range secretWords {
		if strings.Contains(plain, word) {
			return true
		}
	}
	return false
}

// A random word goes between letters and digits as often as the tokens of the
// well-known services do, a short one more often. Names and versions do not.
func isRandom(length, changes int) bool {
	return length >= 20 && changes >= 3 || length >= 12 && changes >= 4
}

// secretValue tells whether there is something in a value that looks like a secret: a
// login in a URL, a private key, or a random word.
func secretValue(value string) bool {
	if _, rest, ok := strings.Cut(value, "//"); ok && strings.ContainsRune(authority(rest), '@') || strings.Contains(value, "-----BEGIN") && strings.Contains(value, "PRIVATE") {
		return true
	}
	if scheme, rest, ok := strings.Cut(value, "//"); ok && strings.HasSuffix(scheme, ":") {
		return secretValue(rest)
	}
	for word := range strings.FieldsSeq(value) { // -Dhttps.proxyPassword=x, --token=x
		if key, _, ok := strings.Cut(word, "="); ok && strings.HasPrefix(key, "-") && secretKey(key) {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(value, endsWord) {
		if random(word) {
			return true
		}
	}
	return false
}

func random(word string) bool {
	changes := 0
	for i := 1; i < len(word); i++ {
		if a, b := rune(word[i-1]), rune(word[i]); letter(a) && digit(b) || digit(a) && letter(b) {
			changes++
		}
	}
	return isRandom(len(word), changes)
}

// withoutLogins takes the logins, and the queries, out of the URLs in a text. Without
// its whole URL a company's client would ask the public registry.
func withoutLogins(text string) string {
	text = bareLogin().ReplaceAllString(text, "$1")
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "://")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		out.WriteString("://")
		where := rest
		if end := strings.IndexAny(rest, urlEnds); end >= 0 {
			where = rest[:end]
		}
		text = rest[strings.LastIndexByte(where, '@')+1:]
		end := strings.IndexAny(text, " \t\n\"'<>")
		if end < 0 {
			end = len(text)
		}
		if query := strings.IndexAny(text[:end], "?#"); query >= 0 {
			text = text[:query] + text[end:]
		}
	}
}

// bareLogin is a login in front of a host that has no scheme, as pip and curl take a
// proxy's.
var bareLogin = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([=\s"']|: )[^\s"'/@=:]+:[^\s"'/@]+@`) })

// urlEnds are what the part of a URL ends at that says who and where.
const urlEnds = "/?# \t\n\"'<>"

// authority is that part, from behind the slashes; of one that has a slash in its login
// it is all.
func authority(url string) string {
	if end := strings.IndexAny(url, urlEnds); end >= 0 && !strings.ContainsRune(url[end:], '@') {
		return url[:end]
	}
	return url
}

func endsWord(r rune) bool {
	return !letter(r) && !digit(r) && !strings.ContainsRune("+_-=", r)
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func digit(r rune) bool { return r >= '0' && r <= '9' }
