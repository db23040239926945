//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// What git is in the middle of has to be writable, for git inside goes on with
// it, and names programs that git outside would run: the exec lines of a rebase,
// and a merge strategy with a slash in its name, which git starts from the
// worktree (git merge-DIR/PROGRAM). Once nothing runs inside any more, those that
// were not there when the run began are taken out.

// underWay are the git directories that a run may write, by path, each with the
// programs of its exec lines when the run began.
type underWay map[string]map[string]int

const (
	rebaseDir = "rebase-merge"
	todoName  = "git-rebase-todo"
)

// gitDirs returns the git directories that gitfiles.Find looked at, by their
// commondir, which is on its list whether it is there or not.
func (b *builder) gitDirs(trusted []gitfiles.Path) (dirs []string) {
	for _, t := range trusted {
		dir, name := filepath.Split(t.Path)
		if name != "commondir" {
			continue
		}
		if p, err := b.host.find(filepath.Clean(dir)); err == nil && p.dir {
			dirs = append(dirs, p.path)
		}
	}
	return dirs
}

// newUnderWay looks at the git directories before the command runs. One without
// a rebase costs one call.
func newUnderWay(p *Plan) underWay {
	all := underWay{}
	for _, g := range p.gitDirs {
		if at(p.nodes, g).access == readWrite {
			all.take(g)
		}
	}
	return all
}

// take looks at one git directory, unless it did before.
func (all underWay) take(g string) {
	var st unix.Stat_t
	if all[g] != nil {
		return
	}
	all[g] = map[string]int{}
	if unix.Lstat(filepath.Join(g, rebaseDir), &st) != nil {
		return
	}
	list, _, _ := readIn(unix.AT_FDCWD, filepath.Join(g, rebaseDir, todoName)) // none is an empty one
	for line := range strings.Lines(list) {
		if program, ok := execLine(line); ok {
			all[g][program]++
		}
	}
}

// execLine returns what git runs for a line of a rebase's list. It takes more
// for such a line than git does.
func execLine(line string) (program string, ok bool) {
	blank := func(r rune) bool { return unicode.IsSpace(r) || r == 0 }
	line = strings.TrimFunc(line, blank)
	end := strings.IndexFunc(line, blank)
	if end < 0 {
		end = len(line)
	}
	return strings.TrimFunc(line[end:], blank), line[:end] == "exec" || line[:end] == "x"
}

// commentOut returns a list without the exec lines that it did not have.
func commentOut(list string, had map[string]int) (without string, changed bool) {
	var b strings.Builder
	had = maps.Clone(had)
	for line := range strings.Lines(list) {
		if program, ok := execLine(line); ok {
			if had[program]--; had[program] < 0 {
				b.WriteString("# srun: ")
				changed = true
			}
		}
		b.WriteString(line)
	}
	return b.String(), changed
}

// some tells whether git may be in the middle of anything.
func (all underWay) some() bool {
	var st unix.Stat_t
	for g := range all {
		for _, name := range []string{rebaseDir, "sequencer", "worktrees"} {
			if unix.Lstat(filepath.Join(g, name), &st) != unix.ENOENT {
				return true
			}
		}
	}
	return false
}

// end takes out what the run added, and tells removed of it. Nothing runs inside.
func (all underWay) end(removed func(MissingPath)) error {
	if !all.some() {
		return nil
	}
	var err error
	capErr := asCommand(func() { err = all.clean(removed) })
	return errors.Join(err, capErr)
}

func (all underWay) clean(removed func(MissingPath)) error {
	var errs []error
	for _, g := range slices.Sorted(maps.Keys(all)) {
		errs = append(errs, endOf(g, all[g], removed))
		for _, name := range (hostFiles{}).ReadDir(filepath.Join(g, "worktrees")) {
			linked := filepath.Join(g, "worktrees", name)
			if _, known := all[linked]; !known { // made in this run
				errs = append(errs, endOf(linked, nil, removed))
			}
		}
	}
	return errors.Join(errs...)
}

// endOf looks at one git directory.
func endOf(g string, had map[string]int, removed func(MissingPath)) error {
	var st unix.Stat_t
	if unix.Lstat(filepath.Join(g, rebaseDir), &st) == unix.ENOENT && unix.Lstat(filepath.Join(g, "sequencer"), &st) == unix.ENOENT {
		return nil
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, g, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return stateError(g, err)
	}
	defer unix.Close(fd)
	const runsExec, runsStrategy = "git runs its exec lines", "git runs the program that it names"
	return errors.Join(
		stateFile{fd, g, rebaseDir, todoName, runsExec, removed}.clean(func(list string) (string, bool) {
			return commentOut(list, had)
		}),
		stateFile{fd, g, rebaseDir, "strategy", runsStrategy, removed}.clean(func(name string) (string, bool) {
			return "", strings.Contains(name, "/")
		}),
		stateFile{fd, g, "sequencer", "opts", runsStrategy, removed}.clean(func(opts string) (string, bool) {
			for _, e := range gitfiles.Parse([]byte(opts)) {
				if e.Section == "options" && e.Key == "strategy" && strings.Contains(e.Value, "/") {
					return "", true
				}
			}
			return "", false
		}),
	)
}

func stateError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return guardError("look at "+path, err)
}
