package gitfiles

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memory is a file system of files by path; their directories are there too.
type memory map[string]string

func (m memory) Kind(p string) Kind {
	if _, ok := m[p]; ok {
		return File
	}
	for file := range m {
		if strings.HasPrefix(file, p+"/") {
			return Dir
		}
	}
	return Missing
}

func (m memory) ReadFile(p string) []byte { return []byte(m[p]) }

func (m memory) ReadDir(p string) []string {
	names := map[string]bool{}
	for file := range m {
		if rest, ok := strings.CutPrefix(file, p+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names[name] = true
		}
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (m memory) Same(a, b string) bool { return path.Clean(a) == path.Clean(b) }

// repository adds a git directory.
func (m memory) repository(g, config string) memory {
	for _, name := range []string{"HEAD", "objects/x", "refs/x"} {
		m[g+"/"+name] = "x"
	}
	m[g+"/config"] = config
	return m
}

// linked adds the git directory of a linked worktree, and the worktree.
func (m memory) linked(main, worktree string) memory {
	g := main + "/worktrees/" + path.Base(worktree)
	m[g+"/HEAD"], m[g+"/commondir"], m[g+"/gitdir"] = "x", "../..\n", worktree+"/.git\n"
	m[worktree+"/.git"] = "gitdir: " + g + "\n"
	return m
}

// shared is what every repository has, without its configuration file.
func shared(g string) []string {
	list := []string{g + "/commondir", g + "/config.worktree", g + "/hooks", g + "/info/attributes", g + "/remotes", g + "/branches"}
	if worktree, ok := strings.CutSuffix(g, "/.git"); ok {
		list = append(list, worktree+"/HEAD")
	}
	return list
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  memory
		root   string
		want   []string // all, but for those of shared of the first
		repo   string   // with all of shared
		shared string
	}{
		{"nothing", memory{"/p/x": ""}, "/p", []string{"/p/HEAD"}, "", ""},
		{"a repository", memory{}.repository("/p/.git", ""), "/p", []string{"/p/.git/config"}, "/p/.git", ""},
		{"a repository above", memory{}.repository("/p/.git", "[core]\nhooksPath = a/b/hooks"), "/p/a", []string{"/p/a/HEAD", "/p/.git/config", "/p/a/b/hooks"}, "/p/.git", ""},
		{"a bare one", memory{}.repository("/p", ""), "/p", []string{"/p/HEAD", "/p/config"}, "/p", ""},
		{"a bare one that lost its objects", memory{"/p/HEAD": "", "/p/config": ""}, "/p", []string{"/p/HEAD", "/p/config"}, "/p", ""},
		{
			"a submodule that lost its HEAD", memory{"/p/.git/modules/m/config": "[core]\nworktree = ../../../m\n"}.repository("/p/.git", ""), "/p",
			slices.Concat([]string{"/p/.git/config", "/p/m/.git", "/p/.git/modules/m/config"}, shared("/p/.git/modules/m")), "/p/.git", "",
		},
		{
			"a submodule that .gitmodules lost", memory{}.repository("/p/.git", "[submodule \"d/s\"]\nurl = x\n").repository("/p/d/s/.git", ""), "/p",
			slices.Concat([]string{"/p/.git/config", "/p/d/s/.git/config"}, shared("/p/d/s/.git")), "/p/.git", "",
		},
		{
			"paths and includes",
			memory{"/p/inc": "[core]\nsshCommand = ssh -F ./cfg/ssh\n[include]\npath = inc", "/h/.gitconfig": "[core]\nattributesFile = ~/at", "/p/cfg/ssh": ""}.
				repository("/p/.git", "[include]\npath = ../inc\n[includeIf \"gitdir:~/x\"]\npath = /o/inc\n"),
			"/p",
			[]string{"/p/.git/config", "/p/inc", "/p/cfg/ssh", "/o/inc", "/h/at"}, "/p/.git", "",
		},
		{
			"programs",
			memory{"/p/t/merge.js": ""}.repository("/p/.git", "[merge \"x\"]\ndriver = node t/merge.js %O\n[filter \"y\"]\nclean = ./missing --x a/b\n[alias]\nz = !bin/z\nlog = log origin/main\n"),
			"/p",
			[]string{"/p/.git/config", "/p/t/merge.js", "/p/missing", "/p/bin/z"}, "/p/.git", "",
		},
		{
			"scripts by bare names",
			memory{"/p/a.sh": "", "/p/cat": "", "/p/b.js": "", "/p/c.awk": "", "/p/d.py": "", "/p/e.sh": "", "/p/t/f.sh": "", "/p/g": "", "/p/CHANGES": "", "/p/tool": ""}.
				repository("/p/.git", "[filter \"x\"]\nclean = sh a.sh\nsmudge = cat\nprocess = LC_ALL=C cat | node --require=b.js\n[diff \"y\"]\ntextconv = awk -fc.awk\n"+
					"[alias]\nci = commit CHANGES\nrel = \"!f() { git add CHANGES && tool; }; f\"\nx = rebase -x 'python3 d.py'\ny = !BASH_ENV=\\\"e.sh\\\" bash\nz = !sh \\\"$(git rev-parse --show-toplevel)/t/f.sh\\\" && perl $PWD/g\n"),
			"/p",
			[]string{"/p/.git/config", "/p/a.sh", "/p/b.js", "/p/c.awk", "/p/d.py", "/p/e.sh", "/p/t/f.sh", "/p/g"}, "/p/.git", "",
		},
		{
			"a linked worktree", memory{}.repository("/p/.git", "[core]\nhooksPath = hk\n").linked("/p/.git", "/w"), "/w",
			[]string{"/w/.git", "/p/.git/worktrees/w/commondir", "/p/.git/worktrees/w/config.worktree", "/p/.git/worktrees/w/gitdir", "/p/.git/config", "/w/hk", "/p/hk"},
			"/p/.git", "/p/.git",
		},
		{
			"the main worktree of one", memory{}.repository("/p/.git", "").linked("/p/.git", "/p/w"), "/p",
			[]string{"/p/.git/config", "/p/w/.git", "/p/.git/worktrees/w/commondir", "/p/.git/worktrees/w/config.worktree", "/p/.git/worktrees/w/gitdir"}, "/p/.git", "",
		},
		{
			"submodules", memory{"/p/l/a/.git": "gitdir: ../../.git/modules/l/a"}.repository("/p/.git", "").repository("/p/.git/modules/l/a", "[core]\nworktree = ../../../../l/a\n"), "/p",
			slices.Concat([]string{"/p/.git/config", "/p/l/a/.git", "/p/.git/modules/l/a/config"}, shared("/p/.git/modules/l/a")), "/p/.git", "",
		},
		{
			"a submodule with its own directory", memory{"/p/.gitmodules": "[submodule \"x\"]\npath = sub\n[submodule \"y\"]\npath = ../out\n"}.
				repository("/p/.git", "").repository("/p/sub/.git", "").repository("/out/.git", ""), "/p",
			slices.Concat([]string{"/p/.git/config", "/p/sub/.git/config"}, shared("/p/sub/.git")), "/p/.git", "",
		},
		{
			"from inside a submodule", memory{"/p/s/.git": "gitdir: ../.git/modules/s"}.repository("/p/.git", "").repository("/p/.git/modules/s", "[core]\nworktree = ../../../s\n"), "/p/s",
			slices.Concat([]string{"/p/s/.git", "/p/.git/config", "/p/.git/modules/s/config"}, shared("/p/.git/modules/s")), "/p/.git", "/p/.git/modules/s",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Find(c.files, c.root, Options{Home: "/h"})
			var got []string
			for _, p := range found.Paths {
				got = append(got, p.Path)
			}
			want := c.want
			if c.repo != "" {
				want = append(want, shared(c.repo)...)
			}
			slices.Sort(got)
			slices.Sort(want)
			if d := cmp.Diff(want, slices.Compact(got)); d != "" {
				t.Error(d)
			}
			if found.Shared != c.shared {
				t.Errorf("shared %q, want %q", found.Shared, c.shared)
			}
		})
	}
}

// A .git file that came with a stranger's archive opens nobody's repository.
func TestFindForged(t *testing.T) {
	victim := func() memory { return memory{}.repository("/v/.git", "").linked("/v/.git", "/other") }
	for name, files := range map[string]memory{
		"to a repository":             merge(victim(), memory{"/p/.git": "gitdir: /v/.git"}),
		"to another's worktree":       merge(victim(), memory{"/p/.git": "gitdir: /v/.git/worktrees/other"}),
		"with a git directory within": merge(victim(), memory{"/p/.git": "gitdir: g", "/p/g/HEAD": "", "/p/g/commondir": "/v/.git", "/p/g/gitdir": "/p/.git"}),
		"a submodule within":          merge(memory{"/p/.git": "gitdir: g"}.repository("/p/g", "[core]\nworktree = /p\n")),
	} {
		t.Run(name, func(t *testing.T) {
			if found := Find(files, "/p", Options{}); found.Shared != "" {
				t.Errorf("shared %q", found.Shared)
			}
		})
	}
	// The directory that is named like a worktree's git directory.
	files := memory{"/h/worktrees/x/.git": "gitdir: .", "/h/worktrees/x/HEAD": "", "/h/worktrees/x/commondir": "../..", "/h/worktrees/x/gitdir": "/h/worktrees/x/.git"}
	if found := Find(files, "/h/worktrees/x", Options{}); found.Shared != "" {
		t.Errorf("shared %q", found.Shared)
	}
}

func merge(all ...memory) memory {
	m := memory{}
	for _, one := range all {
		for k, v := range one {
			m[k] = v
		}
	}
	return m
}
