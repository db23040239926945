package gitfiles

import (
	"path/filepath"
	"strings"
)

// pathKeys are the values that are a path, with a reason each. The subsection
// is not part of the key.
var pathKeys = map[string]string{
	"core.hookspath":         "git runs the hooks in it",
	"core.attributesfile":    "attaches filters and merge drivers to files",
	"init.templatedir":       "git copies hooks from it",
	"gpg.allowedsignersfile": "whose signatures git trusts",
	"gpg.revocationfile":     "whose signatures git trusts",
	"http.sslcainfo":         "which servers git trusts",
	"http.sslcapath":         "which servers git trusts",
	"include.path":           "configuration that git includes",
	"includeif.path":         "configuration that git includes",
}

// commandKeys are the values that are a command line. A "*" stands for any key.
var commandKeys = map[string]bool{
	"core.fsmonitor": true, "core.sshcommand": true, "core.editor": true, "core.pager": true,
	"core.askpass": true, "core.gitproxy": true, "core.alternaterefscommand": true,
	"credential.helper": true, "sequence.editor": true, "interactive.difffilter": true,
	"gpg.program": true, "gpg.defaultkeycommand": true,
	"diff.external": true, "diff.command": true, "diff.textconv": true, "merge.driver": true,
	"filter.clean": true, "filter.smudge": true, "filter.process": true,
	"difftool.cmd": true, "difftool.path": true, "mergetool.cmd": true, "mergetool.path": true,
	"guitool.cmd": true, "browser.cmd": true, "browser.path": true, "man.cmd": true, "man.path": true,
	"trailer.command": true, "trailer.cmd": true, "tar.command": true, "hook.command": true,
	"remote.uploadpack": true, "remote.receivepack": true, "uploadpack.packobjectshook": true,
	"submodule.update": true, "sendemail.tocmd": true, "sendemail.cccmd": true, "sendemail.smtpserver": true,
	"sendemail.sendmailcmd": true, "sendemail.headercmd": true, "gc.recentobjectshook": true,
	"imap.tunnel": true, "instaweb.httpd": true, "instaweb.browser": true,
	"alias.*": true, "pager.*": true,
}

const runs = "the repository's configuration names it as a program"

// value looks at one entry of a configuration: file is where it stands, base
// where relative paths of programs and hooks begin.
func (f *finder) value(e Entry, file, base string, depth int) {
	key := e.Section + "." + e.Key
	switch reason, isPath := pathKeys[key]; {
	case e.Value == "":
	case e.Key == "path" && isPath:
		target := f.expand(e.Value, filepath.Dir(file))
		f.add(target, reason, true)
		f.config(target, base, depth+1)
	case key == "core.hookspath":
		f.hooks(f.expand(e.Value, base), reason)
	case isPath:
		target := f.expand(e.Value, base)
		f.add(target, reason, true)
		if f.user && key == "init.templatedir" {
			f.templates = append(f.templates, target)
		}
	case commandKeys[key] || commandKeys[e.Section+".*"]:
		f.command(e, base)
	}
}

// command looks at the words of a command line that are paths, of which an
// interpreter's script is one by its bare name. The first is held even if nothing
// is there, for git would run what appears.
func (f *finder) command(e Entry, base string) {
	line, shell := strings.CutPrefix(e.Value, "!")
	for _, w := range words(line, e.Section == "alias" && !shell) {
		name := w.path()
		if name == "" {
			continue
		}
		path := f.expand(name, base)
		if kind := f.files.Kind(path); kind == File || w.first && kind == Missing {
			f.add(path, runs, w.first)
		}
	}
}

// expand makes a configured path absolute.
func (f *finder) expand(path, base string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && f.home != "" {
		return filepath.Join(f.home, rest)
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}
