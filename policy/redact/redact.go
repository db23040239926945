package redact

import "strings"

// Format is how a file is written.
type Format int

const (
	None       Format = iota
	INI               // npmrc(5), pip.conf: [section], key = value, continued by indented lines
	Gradle            // gradle.properties, of which the tool's own keys alone are shown
	YAML              // .yarnrc.yml
	XML               // Maven's settings.xml, NuGet.Config
	DockerJSON        // ~/.docker/config.json
)

// most bounds what is read, in bytes. Settings that people write are far smaller.
const most = 64 << 10

// Text returns what may be shown of a file, and false where that is nothing or where
// the file is not in the format.
func Text(format Format, text []byte) (string, bool) {
	if len(text) > most || strings.ContainsRune(string(text), 0) {
		return "", false
	}
	text = []byte(withoutLogins(strings.ReplaceAll(string(text), "\r\n", "\n")))
	lines := strings.Split(string(text), "\n")
	shown := ""
	switch format {
	case INI:
		shown = ini(lines, func(string) bool { return true })
	case Gradle:
		shown = ini(lines, ofGradle)
	case YAML:
		shown = yaml(lines)
	case XML:
		shown = xmlText(text)
	case DockerJSON:
		shown = dockerJSON(text)
	}
	return shown, strings.TrimSpace(shown) != ""
}
