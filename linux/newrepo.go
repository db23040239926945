//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// tame makes harmless what the command made of repositories inside others. Who
// runs git in the outer one runs it in them as well, with their settings
// (git-status(1) looks into submodules). A repository that lies in no other is
// left alone: it is what was asked for. Nothing runs in the sandbox any more.
func (g *guard) tame() {
	for _, dir := range g.nested.planted {
		g.tameWorktree(dir)
	}
	for _, dir := range g.newGitDirs() {
		g.tameDir(dir)
	}
}

// newGitDirs finds linked worktrees and submodules that the repositories did
// not have.
func (g *guard) newGitDirs() (dirs []string) {
	n := &g.nested.c.Plan.nest
	for _, root := range n.roots {
		found, err := gitfiles.Find(hostFiles{}, root, n.git)
		if err != nil {
			g.fail(guardError("look at the repository of "+root, err))
		}
		for _, dir := range found.Dirs {
			if !n.dirs[dir] && g.nested.reached(dir) {
				n.dirs[dir] = true
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// within calls f with a root that no link leads out of, and a path's name in it.
func (g *guard) within(path string, f func(root *os.Root, name string) error) {
	top := at(g.nested.c.Plan.nodes, path).path
	root, err := os.OpenRoot(top)
	if err == nil {
		defer root.Close()
		var name string
		if name, err = filepath.Rel(top, path); err == nil {
			err = f(root, name)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.fail(guardError("make "+path+" harmless", err))
	}
}

// remove removes a path and says so.
func (g *guard) remove(path, reason string) {
	g.within(path, func(root *os.Root, name string) error {
		if _, err := root.Lstat(name); err != nil {
			return err
		}
		err := root.RemoveAll(name)
		if err == nil {
			g.removed(MissingPath{Path: path, Reason: reason})
		}
		return err
	})
}

func (g *guard) tameWorktree(dir string) {
	dot := filepath.Join(dir, ".git")
	var st unix.Stat_t
	if unix.Lstat(dot, &st) != nil {
		return
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		g.tameDir(dot)
		return
	case unix.S_IFREG:
		data := hostFiles{}.ReadFile(dot)
		if target := gitfiles.Target(dot, data); g.isPart(target) {
			return // newGitDirs has it
		}
	}
	g.remove(dot, "leads to a repository, in the place of a new one inside another")
}

// isPart tells whether a git directory is of a linked worktree or a submodule
// of a repository that was there.
func (g *guard) isPart(dir string) bool {
	for known := range g.nested.c.Plan.nest.dirs {
		for _, part := range []string{"worktrees", "modules"} {
			if strings.HasPrefix(dir, filepath.Join(known, part)+"/") {
				return true
			}
		}
	}
	return false
}

const foreign = "of a new repository inside another: git would run what it says"

// tameDir leaves a new git directory nothing that git runs.
func (g *guard) tameDir(dir string) {
	if !g.nested.c.Plan.nest.git.AllowConfig {
		g.tameConfig(filepath.Join(dir, "config"))
		g.tameConfig(filepath.Join(dir, "config.worktree"))
	}
	for _, hook := range (hostFiles{}).ReadDir(filepath.Join(dir, "hooks")) {
		if !strings.HasSuffix(hook, ".sample") {
			g.remove(filepath.Join(dir, "hooks", hook), foreign)
		}
	}
	var st unix.Stat_t
	if hooks := filepath.Join(dir, "hooks"); unix.Lstat(hooks, &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		g.remove(hooks, foreign)
	}
	if common := gitfiles.Common(hostFiles{}, dir); common != dir && !g.nested.c.Plan.nest.dirs[common] {
		g.remove(filepath.Join(dir, "commondir"), foreign)
	}
}

func (g *guard) tameConfig(path string) {
	g.within(path, func(root *os.Root, name string) error {
		st, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if !st.Mode().IsRegular() || st.Size() > maxConfig {
			g.remove(path, foreign)
			return nil
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		tamed, left := gitfiles.Tame(data)
		if len(left) > 0 {
			g.removed(MissingPath{Path: path, Reason: foreign + ": " + strings.Join(left, ", ")})
		}
		if string(tamed) == string(data) {
			return nil
		}
		return root.WriteFile(name, tamed, st.Mode().Perm())
	})
}
