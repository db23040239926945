//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// tamer makes harmless what the command made of repositories inside others. Who
// runs git in the outer one runs it in them as well, with their settings
// (git-status(1) looks into submodules). A repository that lies in no other is
// left alone: it is what was asked for. Nothing runs in the sandbox any more.
// All of it is of the command's making, so each directory is opened by a path
// without a link, and what lies in it is taken by its name there.
type tamer struct {
	*guard
	nest  *nesting
	tamed map[string]bool // git directories

	looked map[string]bool // .git of what an index names
}

func (g *guard) tame() {
	if len(g.nested.planted) == 0 && !g.mayBeMore() {
		return
	}
	g.fail(asCommand(g.tameAll))
}

// mayBeMore tells whether a repository may have got linked worktrees or
// submodules, or its index another one.
func (g *guard) mayBeMore() bool {
	var st unix.Stat_t
	for dir := range g.nested.c.Plan.nest.dirs {
		for _, name := range []string{"modules", "worktrees"} {
			if unix.Lstat(filepath.Join(dir, name), &st) != unix.ENOENT {
				return true
			}
		}
		if unix.Lstat(filepath.Join(dir, "index"), &st) == nil && st.Ctim.Nano() >= g.nested.began {
			return true
		}
	}
	return false
}

func (g *guard) tameAll() {
	t := tamer{g, &g.nested.c.Plan.nest, map[string]bool{}, map[string]bool{}}
	planted := slices.Sorted(slices.Values(g.nested.planted))
	for _, dir := range planted {
		t.worktree(dir, unix.S_IFDIR)
	}
	for _, dir := range planted { // a .git file may lead to what was seen by now
		t.worktree(dir, 0)
	}
	dirs, worktrees := t.newGitDirs()
	for _, dir := range dirs {
		t.gitDir(dir)
	}
	for dir := range t.tamed {
		if worktree, ok := strings.CutSuffix(dir, "/.git"); ok {
			worktrees[dir] = worktree
		}
	}
	t.gitlinks(worktrees)
}

// found takes down what was there when the run began.
func (n *nesting) found(root string, f gitfiles.Found) {
	n.inside[root] = f.Inside
	if f.Inside {
		n.roots = append(n.roots, root)
	}
	links := newFinder()
	for _, dir := range f.Dirs {
		n.dirs[dir] = true
		if p, err := links.find(dir); err == nil {
			n.dirs[p.path] = true
		}
	}
}

// newGitDirs finds the git directories of the repositories now, with linked
// worktrees and submodules that they did not have, and their worktrees.
func (t tamer) newGitDirs() (dirs []string, worktrees map[string]string) {
	worktrees = map[string]string{}
	for _, root := range t.nest.roots {
		found, err := gitfiles.Find(hostFiles{}, root, t.nest.git)
		if err != nil {
			t.fail(guardError("look at the repository of "+root, err))
		}
		dirs = append(dirs, found.Dirs...)
		maps.Copy(worktrees, found.Worktrees)
	}
	return dirs, worktrees
}

// foreign returns where a git directory is, if the command may have made it.
func (t tamer) foreign(dir string) (string, bool) {
	p, err := newFinder().find(dir)
	return p.path, err == nil && p.dir && !p.missing && !t.nest.dirs[p.path] && t.nested.reached(p.path)
}

// own tells whether the command could make a file: not what is denied or held,
// in a directory that it calls a repository's.
func (t tamer) own(path string) bool {
	_, held := t.nested.known[path]
	return t.nested.reached(path) && !held
}

// untouched tells that a .git was there when the run began, where the guard does
// not walk (node_modules), and that nothing git runs of it changed since. The
// time of change is nobody's to set.
func (t tamer) untouched(dot string) bool {
	paths := []string{dot}
	for _, name := range []string{"config", "config.worktree", "commondir", "hooks"} {
		paths = append(paths, filepath.Join(dot, name))
	}
	for _, hook := range (hostFiles{}).ReadDir(filepath.Join(dot, "hooks")) {
		paths = append(paths, filepath.Join(dot, "hooks", hook))
	}
	for _, path := range paths {
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err == unix.ENOENT {
			continue
		} else if err != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK || st.Ctim.Nano() >= t.nested.began {
			return false
		}
	}
	return true
}

// worktree looks at a .git that is new: at a directory, or at what is none (0).
func (t tamer) worktree(dir string, kind uint32) {
	dot := filepath.Join(dir, ".git")
	var st unix.Stat_t
	if unix.Lstat(dot, &st) != nil || (st.Mode&unix.S_IFMT == unix.S_IFDIR) != (kind == unix.S_IFDIR) {
		return
	}
	if kind == unix.S_IFDIR {
		if !t.untouched(dot) {
			t.gitDir(dot)
		}
		return
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG {
		if p, err := newFinder().find(gitfiles.Target(dot, hostFiles{}.ReadFile(dot))); err == nil && t.isPart(p.path) && p.dir {
			t.gitDir(p.path)
			return
		}
	}
	if !t.own(dot) {
		return
	}
	t.in(dir, func(fd int) error {
		return t.file(fd, dir, ".git", "leads to a repository, in the place of a new one inside another").remove(fd, ".git")
	})
}

// isPart tells whether a git directory is of a linked worktree or a submodule
// of a repository that was there, or is harmless.
func (t tamer) isPart(dir string) bool {
	of := func(known string) bool {
		return contains(filepath.Join(known, "worktrees"), dir) || contains(filepath.Join(known, "modules"), dir)
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(t.nest.dirs)), of) ||
		slices.ContainsFunc(slices.Collect(maps.Keys(t.tamed)), of)
}

// in opens a directory of the command's for f.
func (t tamer) in(dir string, f func(fd int) error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, dir, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err == nil {
		err = f(fd)
		unix.Close(fd)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.fail(guardError("make "+dir+" harmless", err))
	}
}

func (t tamer) file(fd int, dir, name, reason string) stateFile {
	return stateFile{fd, filepath.Dir(dir), filepath.Base(dir), name, reason, t.removed}
}

const foreign = "of a new repository inside another: git would run what it says"

// gitDir leaves a new git directory nothing that git runs.
func (t tamer) gitDir(dir string) {
	dir, ok := t.foreign(dir)
	if !ok || t.tamed[dir] {
		return
	}
	t.tamed[dir] = true
	t.in(dir, func(fd int) error {
		var err error
		if !t.nest.git.AllowConfig {
			err = errors.Join(t.config(fd, dir, "config"), t.config(fd, dir, "config.worktree"))
		}
		if common := gitfiles.Common(hostFiles{}, dir); common != dir && !t.nest.dirs[common] && !t.tamed[common] {
			err = errors.Join(err, t.file(fd, dir, "commondir", foreign).remove(fd, "commondir"))
		}
		return errors.Join(err, t.hooks(fd, dir))
	})
}

// hooks removes all but the samples; a directory is no hook.
func (t tamer) hooks(git int, dir string) error {
	if !t.own(filepath.Join(dir, "hooks")) {
		return nil
	}
	fd, err := stateFile{git, dir, "hooks", "", foreign, t.removed}.openDir()
	if err != nil || fd < 0 {
		return err
	}
	defer unix.Close(fd)
	for _, name := range namesIn(fd) {
		if !strings.HasSuffix(name, ".sample") && t.own(filepath.Join(dir, "hooks", name)) {
			err = errors.Join(err, t.file(fd, filepath.Join(dir, "hooks"), name, foreign).remove(fd, name))
		}
	}
	return err
}

func (t tamer) config(fd int, dir, name string) error {
	f := t.file(fd, dir, name, foreign)
	if !t.own(f.path()) {
		return nil
	}
	data, mode, err := readIn(fd, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == unix.EACCES && !isOurs(fd, name):
		return nil
	case err != nil, len(data) > maxConfig:
		return f.remove(fd, name)
	}
	tamed, left := gitfiles.Tame([]byte(data))
	if string(tamed) == data {
		return nil
	}
	if err := replaceIn(fd, name, string(tamed), mode); err != nil {
		return errors.Join(stateError(f.path(), err), f.remove(fd, name))
	}
	if len(left) > 0 {
		t.removed(MissingPath{Path: f.path(), Reason: foreign + ": " + strings.Join(left, ", ")})
	}
	return nil
}
