package gitfiles

import (
	"bytes"
	"path/filepath"
	"strings"
)

// worktrees looks at the linked worktrees of a repository.
func (f *finder) worktrees(common string) {
	dir := filepath.Join(common, "worktrees")
	for _, name := range f.files.ReadDir(dir) {
		g := filepath.Join(dir, name)
		dot := f.backLink(g)
		worktree := ""
		if dot != "" {
			worktree = filepath.Dir(dot)
			f.add(dot, "says where the repository is", false)
		}
		f.gitDir(g, worktree)
	}
}

// backLink returns the .git file of a linked worktree's git directory.
func (f *finder) backLink(g string) string {
	data := bytes.TrimSpace(f.files.ReadFile(filepath.Join(g, "gitdir")))
	if len(data) == 0 {
		return ""
	}
	return join(g, string(data))
}

// maxNameDepth is how many slashes a submodule's name may have.
const maxNameDepth = 16

// modules looks at the git directories of submodules, which lie by their names
// in one place. One shows by its config, which is held, when it has lost HEAD.
func (f *finder) modules(dir string, depth int) {
	for _, name := range f.files.ReadDir(dir) {
		g := filepath.Join(dir, name)
		if f.files.Kind(filepath.Join(g, "HEAD")) != File && f.files.Kind(filepath.Join(g, "config")) != File {
			if f.dirs++; f.dirs <= maxRepositories && depth < maxNameDepth {
				f.modules(g, depth+1)
			}
			continue
		}
		worktree := f.worktreeOf(g)
		if worktree != "" {
			f.add(filepath.Join(worktree, ".git"), "says where the repository is", false)
		}
		f.gitDir(g, worktree)
	}
}

// worktreeOf returns what core.worktree says in a git directory's config.
func (f *finder) worktreeOf(g string) (worktree string) {
	return worktreeIn(g, f.parse(filepath.Join(g, "config")))
}

// Worktree returns what the configuration of a git directory says of its worktree.
func Worktree(g string, config []byte) string { return worktreeIn(g, Parse(config)) }

func worktreeIn(g string, entries []Entry) (worktree string) {
	for _, e := range entries {
		if e.Section == "core" && e.Subsection == "" && e.Key == "worktree" && e.Value != "" {
			worktree = join(g, e.Value)
		}
	}
	return worktree
}

// submodules looks at those that hold their own git directory, as they did
// before git 1.7.8 and still do after a plain clone. .gitmodules has their paths;
// the repository's config, which the command cannot change, has their names,
// which are mostly the same.
func (f *finder) submodules(common, worktree string) {
	if worktree == "" {
		return
	}
	var paths []string
	for _, e := range f.parse(filepath.Join(worktree, ".gitmodules")) {
		if e.Section == "submodule" && e.Key == "path" {
			paths = append(paths, e.Value)
		}
	}
	for _, e := range f.parsed[filepath.Join(common, "config")] {
		if e.Section == "submodule" && e.Subsection != "" {
			paths = append(paths, e.Subsection)
		}
	}
	for _, path := range paths {
		if !filepath.IsLocal(path) {
			continue
		}
		sub := filepath.Join(worktree, path)
		dot := filepath.Join(sub, ".git")
		var g string
		switch f.files.Kind(dot) {
		case Missing:
			continue
		case Dir:
			g = dot
		case File:
			f.add(dot, "says where the repository is", false)
			g = f.gitFile(dot)
		}
		if g == "" {
			continue
		}
		f.gitDir(g, sub)
	}
}

// shared returns the repository that root, by its .git file, is a worktree or
// submodule of. The file alone proves nothing, for it may have come with a
// stranger's archive: the repository must name root in turn.
func (f *finder) shared(root string) string {
	dot := filepath.Join(root, ".git")
	if f.files.Kind(dot) != File {
		return ""
	}
	g := f.gitFile(dot)
	if g == "" || !f.isGitDir(g) {
		return ""
	}
	common := f.common(g)
	switch {
	case strings.HasPrefix(g+"/", root+"/") || !f.isGitDir(common):
		return ""
	case common == g:
		if worktree := f.worktreeOf(g); worktree != "" && f.files.Same(worktree, root) {
			return g
		}
	case filepath.Dir(g) == filepath.Join(common, "worktrees"):
		// The directories are compared, for a link named .git leads to any file.
		if back := f.backLink(g); filepath.Base(back) == ".git" && f.files.Same(filepath.Dir(back), root) {
			return common
		}
	}
	return ""
}
