package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"srun/policy/gitfiles"
)

// maxExclude bounds what is read of the files below, in bytes.
const maxExclude = 1 << 20

// exclude keeps a file of the user's own out of git status, by info/exclude of the
// repository that it lies in (gitignore(5)). Where there is none, or where it cannot
// be done, nothing is: the file is of use all the same.
func exclude(path string) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if common := commonGitDir(dir); common != "" {
			if rel, err := filepath.Rel(dir, path); err == nil {
				addExclude(common, "/"+gitPattern(filepath.ToSlash(rel)))
			}
			return
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

// commonGitDir returns the directory with the info/exclude of the worktree at dir,
// or "". A .git file counts if what it names says that it belongs there, as git
// worktree writes it: else whoever wrote the file would choose where srun writes.
func commonGitDir(dir string) string {
	git := filepath.Join(dir, ".git")
	st, err := os.Lstat(git)
	switch {
	case err != nil:
		return ""
	case st.IsDir():
		if _, err := os.Lstat(filepath.Join(git, "HEAD")); err != nil {
			return ""
		}
		return git
	}
	text, err := readRegular(git, maxExclude)
	if err != nil {
		return ""
	}
	own := gitfiles.Target(git, text)
	back, err := readRegular(filepath.Join(own, "gitdir"), maxExclude)
	if own == "" || err != nil || strings.TrimSpace(string(back)) != git || filepath.Base(filepath.Dir(own)) != "worktrees" {
		return ""
	}
	return filepath.Dir(filepath.Dir(own))
}

// addExclude adds a line to info/exclude, unless it is there.
func addExclude(gitDir, line string) {
	root, err := os.OpenRoot(gitDir)
	if err != nil {
		return
	}
	defer root.Close()
	if err := root.Mkdir("info", 0o777); err != nil && !os.IsExist(err) {
		return
	}
	info, err := root.OpenRoot("info")
	if err != nil {
		return
	}
	defer info.Close()
	old, mode, err := readIn(info, "exclude")
	if err != nil || len(old) > maxExclude {
		return
	}
	for had := range bytes.Lines(old) {
		if string(bytes.TrimRight(had, "\r\n")) == line {
			return
		}
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		old = append(old, '\n')
	}
	replaceFile(info, "exclude", append(old, line+"\n"...), mode)
}

// gitPattern writes a path so that gitignore(5) takes none of it for a wildcard.
func gitPattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
