package gitfiles

import (
	"regexp"
	"slices"
)

// harmlessKeys are what a new repository's configuration consists of when git
// itself writes it, and what people add to it, as far as none of it names a
// program or another file of settings. A "*" stands for any key.
var harmlessKeys = map[string][]string{
	"core": {
		"repositoryformatversion", "filemode", "bare", "logallrefupdates", "ignorecase", "precomposeunicode",
		"symlinks", "worktree", "autocrlf", "eol", "safecrlf", "quotepath", "sparsecheckout", "sparsecheckoutcone",
		"abbrev", "compression", "sharedrepository", "untrackedcache", "preloadindex", "splitindex",
	},
	"extensions": {"objectformat", "refstorage", "partialclone", "compatobjectformat", "worktreeconfig"},
	"remote":     {"url", "pushurl", "fetch", "push", "promisor", "partialclonefilter", "tagopt", "prune", "mirror"},
	"branch":     {"remote", "merge", "rebase", "pushremote", "description", "autosetupmerge", "autosetuprebase"},
	"submodule":  {"url", "active", "branch", "ignore", "shallow", "fetchrecursesubmodules", "recurse", "path"},
	"user":       {"name", "email", "signingkey", "useconfigonly"},
	"commit":     {"gpgsign", "verbose"},
	"tag":        {"gpgsign", "sort"},
	"pull":       {"rebase", "ff"},
	"push":       {"default", "autosetupremote", "followtags"},
	"fetch":      {"prune", "prunetags", "parallel", "recursesubmodules"},
	"merge":      {"ff", "conflictstyle", "renames", "log"},
	"rebase":     {"autosquash", "autostash", "updaterefs"},
	"rerere":     {"enabled", "autoupdate"},
	"diff":       {"algorithm", "renames", "colormoved", "context", "submodule", "ignoresubmodules"},
	"status":     {"*"},
	"color":      {"*"},
	"advice":     {"*"},
	"gc":         {"auto", "autodetach", "pruneexpire", "reflogexpire", "reflogexpireunreachable"},
	"index":      {"version", "threads", "skiphash", "sparse"},
	"feature":    {"*"},
	"lfs":        {"repositoryformatversion"},
}

// helper is the start of a URL that a program is for: ext:: runs any command
// (gitremote-helpers(7)).
var helper = regexp.MustCompile(`^[A-Za-z0-9+.-]+::`)

// Harmless reports whether an entry makes git run nothing and read no other
// settings.
func (e Entry) Harmless() bool {
	keys := harmlessKeys[e.Section]
	if helper.MatchString(e.Value) {
		return false
	}
	return slices.Contains(keys, e.Key) || slices.Contains(keys, "*")
}
