package gitfiles

import (
	"bytes"
	"cmp"
	"path/filepath"
	"strings"
)

// Kind is what a path leads to, symbolic links followed.
type Kind int

// The kinds of a path.
const (
	Missing Kind = iota
	File
	Dir
)

// Files is what finding asks of a file system. Paths are absolute.
type Files interface {
	Kind(path string) Kind
	// ReadFile and ReadDir return nil where there is nothing that can be read.
	// ReadDir gives names.
	ReadFile(path string) []byte
	ReadDir(path string) []string
	Same(a, b string) bool // both lead to the same file
}

// Path is a file or directory that git trusts.
type Path struct {
	Path   string
	Reason string
	Guard  bool // also while nothing is there
}

// Found is what Find returns.
type Found struct {
	Paths []Path

	// Shared is the repository that the directory is a linked worktree or a
	// submodule of, where it lies elsewhere: a commit writes there. It is ""
	// unless that repository itself names the directory.
	Shared string

	// Templates are what init.templateDir says in the user's or the system's own
	// configuration.
	Templates []string
}

// Options say what Find looks at.
type Options struct {
	Home        string // for ~ and the user's own configuration, or ""
	AllowConfig bool   // a repository's config file may be written
}

// maxRepositories bounds the submodules and linked worktrees of a start. What a
// command adds to them must not keep srun from starting, nor slow it down much.
const maxRepositories = 2000

// maxIncludes is how deep git follows includes.
const maxIncludes = 10

// maxSize bounds all configuration files together, in bytes. Those of the
// repositories around the directory are read first.
const maxSize = 16 << 20

// Find looks at the repositories at and above root, a directory, and at what
// they say of others. Those below it that nothing speaks of are for [Nested].
func Find(files Files, root string, o Options) Found {
	f := &finder{files: files, root: root, home: o.Home, allowConfig: o.AllowConfig, seen: map[string]bool{}, parsed: map[string][]Entry{}}
	for dir := root; ; dir = filepath.Dir(dir) {
		f.worktree(dir, dir == root)
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if !f.any {
		f.userConfig(root)
	}
	for len(f.later) > 0 {
		next := f.later[0]
		f.later = f.later[1:]
		next()
	}
	return Found{f.found, f.shared(root), f.templates}
}

type finder struct {
	root        string
	files       Files
	home        string
	allowConfig bool
	found       []Path
	seen        map[string]bool    // git directories and configuration files
	parsed      map[string][]Entry // by file
	dirs        int                // git directories so far
	size        int                // of the configuration files so far
	any         bool               // there is a repository
	user        bool               // it looks at the user's or the system's own configuration
	templates   []string
	later       []func() // what a command could make much of comes after all else
}

func (f *finder) add(path, reason string, guard bool) {
	f.found = append(f.found, Path{path, reason, guard})
}

// worktree looks at a directory that may be a worktree, or a git directory
// itself. That shows by HEAD alone, for a command may move all else that may be
// written there aside, to find the rest open in its next run; so HEAD stays, and
// root does not get one: with objects and refs beside it, git takes the
// directory for a repository.
func (f *finder) worktree(dir string, root bool) {
	dot := filepath.Join(dir, ".git")
	switch f.files.Kind(dot) {
	case Dir:
		f.gitDir(dot, dir)
		return
	case File:
		f.add(dot, "says where the repository is", true)
		if g := f.gitFile(dot); g != "" && f.mayBeGitDir(g) {
			f.gitDir(g, dir)
		}
		return
	}
	if f.seen[dir] {
		return // the .git of a directory above
	}
	head := filepath.Join(dir, "HEAD")
	there := f.files.Kind(head) == File
	if root || there {
		f.add(head, "makes a repository of the directory", true)
	}
	if there {
		f.gitDir(dir, "")
	}
}

// gitFile returns where a .git file leads.
func (f *finder) gitFile(path string) string { return Target(path, f.files.ReadFile(path)) }

// Target returns where a .git file leads that has some content, "" for nowhere.
func Target(path string, data []byte) string {
	target, ok := strings.CutPrefix(string(data), "gitdir:")
	if target = strings.TrimSpace(target); !ok || target == "" {
		return ""
	}
	return join(filepath.Dir(path), target)
}

func join(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func (f *finder) isGitDir(dir string) bool {
	if f.files.Kind(filepath.Join(dir, "HEAD")) != File {
		return false
	}
	return f.files.Kind(filepath.Join(dir, "commondir")) == File ||
		f.files.Kind(filepath.Join(dir, "objects")) == Dir && f.files.Kind(filepath.Join(dir, "refs")) == Dir
}

// mayBeGitDir tells a git directory that may have lost a part of what makes it
// one from a directory that never was.
func (f *finder) mayBeGitDir(dir string) bool {
	return f.files.Kind(filepath.Join(dir, "HEAD")) == File || f.files.Kind(filepath.Join(dir, "commondir")) == File ||
		f.files.Kind(filepath.Join(dir, "objects")) == Dir && f.files.Kind(filepath.Join(dir, "refs")) == Dir
}

const moves = "moves the repository's config and hooks elsewhere"

// gitDir looks at a git directory, whose worktree is "" for a bare one.
func (f *finder) gitDir(g, worktree string) {
	if f.seen[g] || f.dirs >= maxRepositories {
		return
	}
	f.seen[g], f.any = true, true
	f.dirs++
	if worktree != "" && g == filepath.Join(worktree, ".git") {
		// Of a .git that lost its HEAD, git goes on to look for one beside it.
		f.add(filepath.Join(worktree, "HEAD"), "makes a repository of the directory", true)
	}
	f.add(filepath.Join(g, "commondir"), moves, true)
	f.add(filepath.Join(g, "config.worktree"), "configuration for one worktree", true)
	common := f.common(g)
	if common != g {
		f.add(filepath.Join(g, "gitdir"), "says where the worktree is", false)
	} else {
		f.commonDir(g)
	}
	f.configs(g, common, cmp.Or(worktree, g))
	switch {
	case common == g:
	case filepath.Base(common) == ".git":
		f.gitDir(common, filepath.Dir(common))
	default:
		f.gitDir(common, "")
	}
	f.later = append(f.later, func() {
		f.modules(filepath.Join(g, "modules"), 0)
		f.submodules(common, worktree)
		if common == g {
			f.worktrees(g)
		}
	})
}

// commonDir adds what all worktrees of a repository share.
func (f *finder) commonDir(g string) {
	f.hooks(filepath.Join(g, "hooks"), "git runs them")
	f.add(filepath.Join(g, "remotes"), "names repositories for git push", true)
	f.add(filepath.Join(g, "branches"), "names repositories for git push", true)
	f.add(filepath.Join(g, "info", "attributes"), "attaches filters and merge drivers to files", true)
	if !f.allowConfig {
		f.add(filepath.Join(g, "config"), "names programs that git runs: core.fsmonitor, core.sshCommand, filters", true)
	}
}

func (f *finder) common(g string) string { return Common(f.files, g) }

// Common returns the directory that a git directory shares with others, or
// itself.
func Common(files Files, g string) string {
	data := bytes.TrimSpace(files.ReadFile(filepath.Join(g, "commondir")))
	if len(data) == 0 {
		return g
	}
	return join(g, string(data))
}

// configs looks at the configuration files that count in one worktree. Relative
// paths in them begin at base.
func (f *finder) configs(g, common, base string) {
	f.config(filepath.Join(common, "config"), base, 0)
	f.config(filepath.Join(g, "config.worktree"), base, 0)
	f.userConfig(base)
}

// userConfig looks at the configuration that counts in every repository.
func (f *finder) userConfig(base string) {
	f.user = true
	defer func() { f.user = false }()
	f.config("/etc/gitconfig", base, 0)
	if f.home != "" {
		f.config(f.home+"/.gitconfig", base, 0)
		f.config(f.home+"/.config/git/config", base, 0)
	}
}

// config looks at a configuration file and at what it includes, once for each
// base.
func (f *finder) config(file, base string, depth int) {
	if depth > maxIncludes || f.seen[file+"\x00"+base] {
		return
	}
	f.seen[file+"\x00"+base] = true
	for _, e := range f.parse(file) {
		f.value(e, file, base, depth)
	}
}

// parse reads a configuration file once.
func (f *finder) parse(file string) []Entry {
	entries, known := f.parsed[file]
	if !known && f.size <= maxSize {
		data := f.files.ReadFile(file)
		f.size += len(data)
		entries = Parse(data)
		f.parsed[file] = entries
	}
	return entries
}
