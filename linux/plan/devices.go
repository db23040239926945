package plan

import (
	"fmt"
	"path/filepath"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

// ownDevices are what every sandbox's /dev has for itself.
var ownDevices = []string{
	"null", "zero", "full", "random", "urandom", "tty", "console", "pts", "ptmx", "shm", "tmp", "fd", "stdin", "stdout", "stderr",
	filepath.Base(CachesDir), filepath.Base(BundlePath), ".srun",
}

// ofOwnDev tells whether a path is or lies below one of them.
func ofOwnDev(path string) bool {
	return slices.ContainsFunc(ownDevices, func(name string) bool { return pathtree.Contains("/dev/"+name, path) })
}

// devices are the operations by which devices of the host's are in the sandbox's own
// /dev, before that is read-only. What is shown is too: in a directory nothing is made
// or removed, and a device's own mode says who may use it.
func (b *builder) devices(list []policy.PathRule) (ops []Op, err error) {
	made := map[string]bool{"/dev": true}
	for _, r := range list {
		at, err := b.host.Find(r.Path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %s: %w", r.Source, Quoted(r.Path), err)
		case ofOwnDev(r.Path), ofOwnDev(at.Path):
			return nil, fmt.Errorf("%s: %s: every sandbox has its own", r.Source, Quoted(r.Path))
		case !pathtree.Contains("/dev", at.Path) || at.Path == "/dev":
			return nil, fmt.Errorf("%s: %s: leads out of /dev", r.Source, Quoted(r.Path))
		case at.Missing || made[r.Path]:
			continue
		case slices.ContainsFunc(list, func(o policy.PathRule) bool { return o.Path != r.Path && pathtree.Contains(o.Path, r.Path) }):
			continue // in a directory that is there as a whole
		}
		ops = append(ops, mkdirs(filepath.Dir(r.Path), made)...)
		place := Op{Kind: OpMkfile, Path: r.Path, A: 0o600}
		if at.Dir {
			place = Op{Kind: OpMkdir, Path: r.Path, A: 0o755}
		}
		made[r.Path] = true
		ops = append(ops, place, Op{Kind: OpDevice, Path: r.Path, Data: at.Path})
	}
	return ops, nil
}

// mkdirs makes the directories down to one that are not made yet.
func mkdirs(dir string, made map[string]bool) (ops []Op) {
	if made[dir] {
		return nil
	}
	ops = append(mkdirs(filepath.Dir(dir), made), Op{Kind: OpMkdir, Path: dir, A: 0o755})
	made[dir] = true
	return ops
}
