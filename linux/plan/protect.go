package plan

import (
	"path/filepath"
	"slices"
	"strings"

	"srun/policy"
	"srun/policy/direnv"
	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// nameFiles replaces the files that say how names are looked up. A name of the
// host's /etc/hosts would reach the proxy as a bare address, and its name
// servers may lie on an interface that is not there; inside, the proxy answers
// on every address.
func (b *builder) nameFiles(nodes nodes) []Op {
	hosts := "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
	if b.host.Name != "" && b.host.Name != "localhost" {
		hosts += "127.0.1.1 " + b.host.Name + "\n"
	}
	var ops []Op
	for _, f := range []struct{ path, content string }{
		{"/etc/hosts", hosts},
		{"/etc/resolv.conf", "nameserver 127.0.0.1\n"},
	} {
		path, ok := b.host.file(f.path)
		if ok && nodes.At(path).Access() != pathtree.Hidden {
			ops = append(ops, Op{Kind: OpFile, Path: path, A: 0o444, Flag: 1, Data: f.content})
		}
	}
	return ops
}

// sshConfigs are the operations by which ssh takes configurations that are root's:
// inside, root's files are nobody's, and ssh refuses those ("Bad owner or
// permissions", readconf.c). The command has copies of its own.
func (b *builder) sshConfigs(home string, nodes nodes) (ops []Op) {
	if b.host.Root {
		return nil
	}
	paths := []string{filepath.Join(home, ".ssh/config")}
	for _, name := range b.host.ReadDir("/etc/ssh/ssh_config.d") {
		paths = append(paths, filepath.Join("/etc/ssh/ssh_config.d", name))
	}
	for _, path := range paths {
		at, err := b.host.Find(path)
		if err != nil || at.Missing || at.Dir || nodes.At(at.Path).Access() != pathtree.ReadOnly || !b.host.OfRoot(at.Path) {
			continue
		}
		if text := b.host.ReadFile(at.Path); text != nil {
			ops = append(ops, Op{Kind: OpFile, Path: at.Path, A: 0o444, Flag: 1, Data: string(text)})
		}
	}
	return ops
}

// protect adds the protected paths that lie below a writable root, and those
// that lead there through a link; all others are out of the command's reach as
// they are. trusted is what git trusts.
func (b *builder) protect(paths []policy.ProtectedPath, trusted []gitfiles.Path, home string) error {
	dirs := b.namedDirs()
	for _, p := range paths {
		switch {
		case !p.Anywhere:
			if err := b.protectOne(p.Path, p.Reason, true); err != nil {
				return err
			}
			continue
		case strings.HasPrefix(p.Path, ".git/"), strings.Contains(p.Path, "*"):
			continue // of a repository that is there: trusted has them; and the broker's
		}
		for _, dir := range dirs {
			if err := b.protectOne(filepath.Join(dir, p.Path), p.Reason, true); err != nil {
				return err
			}
		}
	}
	for _, dir := range dirs {
		if err := b.protectLoaded(dir, home); err != nil {
			return err
		}
	}
	for _, t := range trusted {
		if b.judgedConfig(t.Path) {
			b.kept[t.Path] = true
			continue
		}
		if err := b.protectOne(t.Path, t.Reason, t.Guard); err != nil {
			return err
		}
	}
	return nil
}

// protectLoaded holds what a directory's .envrc has direnv load.
func (b *builder) protectLoaded(dir, home string) error {
	for _, file := range direnv.Loads(b.host.ReadFile(filepath.Join(dir, ".envrc"))) {
		path := filepath.Join(dir, file)
		if rest, ok := strings.CutPrefix(file, "~/"); ok {
			path = filepath.Join(home, rest)
		} else if filepath.IsAbs(file) {
			path = filepath.Clean(file)
		}
		if b.host.Kind(path) == gitfiles.Dir { // its own .envrc is protected by its name
			continue
		}
		if err := b.protectOne(path, direnv.Reason, true); err != nil {
			return err
		}
	}
	return nil
}

// judgedConfig tells whether a path is a git directory's own configuration. Git
// replaces it by one that the broker judges; written in place it is not.
func (b *builder) judgedConfig(path string) bool {
	dir, name := filepath.Split(path)
	if name != "config" && name != "config.worktree" {
		return false
	}
	if at, err := b.host.Find(path); err != nil || at.Path != path || len(at.Links) > 0 || at.Dir {
		return false
	}
	for _, part := range []string{"HEAD", "objects", "refs"} {
		if at, err := b.host.Find(dir + part); err != nil || at.Missing {
			return name == "config.worktree" && part != "HEAD"
		}
	}
	return true
}

// namedDirs are the directories in which protected names count: those that may
// be written, and those between one and the working directory, for programs
// look for their settings upwards.
func (b *builder) namedDirs() []string {
	var dirs []string
	for _, n := range b.roots {
		if n.AllowWrite && n.Own.dir {
			dirs = append(dirs, n.Path)
		}
	}
	for dir := b.dir; b.writable(dir) && dir != "/"; dir = filepath.Dir(dir) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// protectOne holds one path, or keeps it from being made when guard is set.
func (b *builder) protectOne(path, reason string, guard bool) error {
	if b.opened(path) {
		return nil
	}
	at, err := b.host.Find(path)
	reached := b.writable(path) || b.writable(at.Path) || slices.ContainsFunc(at.Links, b.writable) ||
		at.Path != "" && slices.ContainsFunc(b.roots, func(n *node) bool { return n.AllowWrite && pathtree.Contains(at.Path, n.Path) })
	switch {
	case !reached:
		return nil
	case err == nil && at.Missing && !guard:
		b.links = append(b.links, at.Links...)
		return nil
	}
	return b.add(policy.PathRule{Path: path, Reason: reason}, point{Effects: denyWrite})
}

// repositories returns what git trusts in the repositories around every
// writable directory, and lets a commit in a linked worktree or in a submodule
// be written to the repository that it belongs to.
func (b *builder) repositories(p *policy.Policy) ([]gitfiles.Path, error) {
	var all []gitfiles.Path
	for i, root := range slices.Clone(b.points) {
		if !root.Own.dir {
			continue
		}
		found := gitfiles.Find(b.host.Files, root.Path, gitfiles.Options{Home: p.Home, AllowConfig: p.Filesystem.AllowGitConfig})
		all = append(all, found.Paths...)
		for _, template := range found.Templates {
			if !slices.Contains(b.templates, template) {
				b.templates = append(b.templates, template)
			}
		}
		if i > 0 || b.root == "" || found.Shared == "" {
			continue
		}
		if err := b.add(policy.PathRule{Path: found.Shared}, point{Effects: allowWrite}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
