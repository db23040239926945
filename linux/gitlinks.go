//go:build linux

package linux

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// maxIndex bounds what is read of an index: some millions of files.
const maxIndex = 1 << 30

// gitlinks looks at the repositories that an index names, in which git in the
// outer one runs git, wherever they lie: where the guard does not walk as well.
// Only an index that changed since the command began is read. Their own indexes
// are next.
func (t tamer) gitlinks(worktrees map[string]string) {
	for len(worktrees) > 0 {
		next := map[string]string{}
		for git, worktree := range worktrees {
			for _, path := range t.linksIn(git) {
				dir := filepath.Join(worktree, path)
				if !filepath.IsLocal(path) || !t.nested.reached(dir) {
					continue
				}
				t.linked(dir)
				if dot := filepath.Join(dir, ".git"); !t.looked[dot] {
					t.looked[dot] = true
					next[dot] = dir
				}
			}
		}
		worktrees = next
	}
}

// linked looks at one of them. In node_modules nobody keeps a repository of
// his own as part of another, so there an old one counts as new.
func (t tamer) linked(dir string) {
	dot := filepath.Join(dir, ".git")
	var st unix.Stat_t
	if unix.Lstat(dot, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
		slices.Contains(strings.Split(dir, "/"), "node_modules") {
		t.gitDir(dot)
		return
	}
	t.worktree(dir, unix.S_IFDIR)
	t.worktree(dir, 0)
}

func (t tamer) linksIn(git string) (paths []string) {
	var st unix.Stat_t
	if unix.Lstat(filepath.Join(git, "index"), &st) != nil || st.Ctim.Nano() < t.nested.began {
		return nil
	}
	hash := 20
	for _, e := range gitfiles.Parse(hostFiles{}.ReadFile(filepath.Join(git, "config"))) {
		if e.Section == "extensions" && e.Key == "objectformat" && strings.EqualFold(e.Value, "sha256") {
			hash = 32
		}
	}
	for _, name := range (hostFiles{}).ReadDir(git) {
		if name == "index" || strings.HasPrefix(name, "sharedindex.") {
			paths = append(paths, gitfiles.Gitlinks(t.changedFile(filepath.Join(git, name)), hash)...)
		}
	}
	return paths
}

// changedFile reads a file that is not as it was when the run began; nil is any
// other.
func (t tamer) changedFile(path string) []byte {
	f, st, err := openFile(unix.AT_FDCWD, path, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if st.Ctim.Nano() < t.nested.began {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxIndex))
	if err != nil {
		t.fail(guardError("read "+path, err))
	}
	return data
}
