package redact

import "strings"

// ini shows sections, and the settings of which neither key nor value is secret. A
// setting goes as a whole, with the lines that continue it; so does every comment,
// which may hold the login of last year.
func ini(lines []string, of func(key string) bool) string {
	var out strings.Builder
	for i := 0; i < len(lines); {
		from := i
		for i++; i < len(lines) && continues(lines[i-1], lines[i]); i++ {
		}
		setting := lines[from:i]
		first := strings.TrimSpace(setting[0])
		if strings.HasPrefix(first, "[") && strings.HasSuffix(first, "]") && len(setting) == 1 && !secretValue(first) {
			out.WriteString(first + "\n")
			continue
		}
		key, value, ok := cutSetting(strings.Join(setting, "\n"))
		if ok && of(key) && !secretKey(key) && (isCA(key) || !secretValue(value)) {
			out.WriteString(strings.Join(setting, "\n") + "\n")
		}
	}
	return out.String()
}

// continues tells whether a line belongs to the setting of the line before.
func continues(before, line string) bool {
	return strings.HasSuffix(before, "\\") || strings.TrimSpace(line) != "" && strings.TrimLeft(line, " \t") != line
}

// cutSetting cuts "key = value". What has no value is none: it could be a word of
// something else.
func cutSetting(setting string) (key, value string, ok bool) {
	setting = strings.TrimSpace(setting)
	if setting == "" || strings.ContainsRune("#;!", rune(setting[0])) {
		return "", "", false
	}
	at := strings.IndexByte(setting, '=')
	if at < 0 {
		at = strings.IndexByte(setting, ':')
	}
	if at <= 0 {
		return "", "", false
	}
	key, value = strings.TrimSpace(setting[:at]), strings.TrimSpace(setting[at+1:])
	return key, value, strings.Trim(value, "=") != "" && !secretValue(strings.TrimSuffix(key, "[]")) && !strings.ContainsAny(key, " \t\n\\\"'")
}

// isCA tells whether a value is long and public: a company's certificate.
func isCA(key string) bool {
	return strings.TrimSuffix(key, "[]") == "ca"
}

// ofGradle tells whether a key of gradle.properties is a tool's. All others are the
// user's own names, and could name anything.
func ofGradle(key string) bool {
	for _, prefix := range []string{"org.gradle.", "android.", "kotlin.", "systemProp.http.", "systemProp.https."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// yaml shows a file of plain "key: value" and "- value" lines, without the secret
// ones and what is indented below them. One with more of the language than that is not
// shown at all.
func yaml(lines []string) string {
	var out strings.Builder
	under := -1 // the indentation of a secret, which covers what is deeper
	for _, line := range lines {
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		switch {
		case text == "" || text[0] == '#' || text == "---":
			continue
		case under >= 0 && indent > under:
			continue
		}
		under = -1
		item := text
		for strings.HasPrefix(item, "- ") {
			item = strings.TrimLeft(item[2:], " ")
		}
		key, value, ok := cutYAML(item)
		switch {
		case !ok && item == text, strings.ContainsAny(text, "\t\\"), beyond(key), beyond(strings.TrimSpace(value)):
			return ""
		case ok && secretKey(key), secretValue(key), secretValue(value):
			under = indent
			continue
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// beyond tells whether a key or value is more than a plain or quoted word of a line.
func beyond(word string) bool {
	if word == "" {
		return false
	}
	if quote := word[0]; quote == '"' || quote == '\'' {
		return len(word) < 2 || word[len(word)-1] != quote
	}
	return strings.IndexByte("&*|>?!%@`{}[]", word[0]) >= 0
}

// cutYAML cuts "key: value"; of a list's plain item the value alone is left.
func cutYAML(item string) (key, value string, ok bool) {
	if item == "" {
		return "", "", false
	}
	if quote := item[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(item[1:], quote)
		if end < 0 || !strings.HasPrefix(item[end+2:], ":") {
			return "", item, false
		}
		return item[1 : end+1], item[end+3:], true
	}
	key, value, ok = strings.Cut(item, ": ")
	if !ok {
		key, ok = strings.CutSuffix(item, ":")
	}
	if !ok {
		return "", item, false
	}
	return key, value, true
}
