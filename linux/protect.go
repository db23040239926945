//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy"
)

// nameFiles replaces the files that say how names are looked up. A name of the
// host's /etc/hosts would reach the proxy as a bare address, and its name
// servers may lie on an interface that is not there; inside, the proxy answers
// on every address.
func (b *builder) nameFiles() []mountOp {
	nodes := resolve(b.points)
	hosts := "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
	if b.host.Name != "" && b.host.Name != "localhost" {
		hosts += "127.0.1.1 " + b.host.Name + "\n"
	}
	var ops []mountOp
	for _, f := range []struct{ path, content string }{
		{"/etc/hosts", hosts},
		{"/etc/resolv.conf", "nameserver 127.0.0.1\n"},
	} {
		path, dir, err := b.host.Resolve(f.path)
		if err == nil && !dir && at(nodes, path).access != hidden {
			ops = append(ops, mountOp{Kind: opFile, Path: path, A: 0o444, Flag: 1, Data: f.content})
		}
	}
	return ops
}

// protect adds the protected paths that lie below a writable root; all others
// are out of the command's reach as they are.
func (b *builder) protect(paths []policy.ProtectedPath) error {
	var roots, dirs []string
	for _, p := range b.points {
		if p.allowWrite {
			roots = append(roots, p.path)
		}
		if p.allowWrite && p.dir {
			dirs = append(dirs, p.path)
		}
	}
	for _, p := range paths {
		if !p.Anywhere {
			if err := b.protectOne(roots, p.Path, p.Reason); err != nil {
				return err
			}
			continue
		}
		for _, root := range dirs {
			if err := b.protectOne([]string{root}, filepath.Join(root, p.Path), p.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) protectOne(roots []string, path, reason string) error {
	inside := slices.ContainsFunc(roots, func(root string) bool { return contains(root, path) })
	if !inside {
		return nil
	}
	if !b.guarded(path) {
		if _, _, err := b.host.Resolve(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return b.add(policy.PathRule{Path: path, Reason: reason}, point{denyWrite: true})
}

// guarded tells which protected paths are held although they do not exist:
// srun's own, where a settings file could be planted for the next run, and
// those of a git repository that is there already. A repository that the
// command makes itself gets its hooks and config from git.
func (b *builder) guarded(path string) bool {
	if filepath.Base(path) == ".srun" || slices.Contains(b.own, path) {
		return true
	}
	i := strings.Index(path, "/.git/")
	if i < 0 {
		return false
	}
	_, dir, err := b.host.Resolve(path[:i] + "/.git")
	return err == nil && dir
}
