//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"

	"srun/policy"
)

// TempDir is the command's private temporary directory. It is a tmpfs of the
// sandbox's mount namespace, so nothing of it is left however the run ends.
const TempDir = "/dev/tmp"

// ownWritable are init's own mounts that stay writable.
var ownWritable = []string{"/dev/pts", "/dev/shm", TempDir}

// ownTrees are replaced inside: nothing of the host's can be reached there.
var ownTrees = []string{"/dev", "/proc"}

// Plan is everything that init does between a policy and the command, in
// order. It is what --explain prints and what is applied.
type Plan struct {
	Mounts      []mountOp
	Landlock    []LandlockRule
	LandlockABI int
	Seccomp     bool
	Missing     []MissingPath // denied paths that do not exist yet

	dir fileID // of the working directory

	UnixSockets    []string // the host's, that may be connected to
	AllUnixSockets bool
}

// LandlockRule grants rights at and below a path.
type LandlockRule struct {
	Path   string
	Rights landlock.AccessFSSet
	Inside bool // a mount of init's own
	id     fileID
}

// MissingPath is a path that may not be made and does not exist: no mount can
// hold its place, so it is watched.
type MissingPath struct {
	Path   string // absolute; its longest existing ancestor has no symbolic link
	Root   string // the writable directory that it lies in
	Reason string
	Source policy.Source
}

// Host is what planning asks of the machine.
type Host struct {
	LandlockABI int
	WorkDir     *os.File // the working directory, where its name alone is not to be trusted
	Name        string   // the host's name, which /etc/hosts inside knows as well
	Resolve     func(path string) (resolved string, dir bool, err error)
}

// ThisHost asks the real machine.
func ThisHost() Host {
	name, _ := os.Hostname() // without one, it is missing from /etc/hosts
	return Host{LandlockABI: LandlockABI(), Name: name, Resolve: resolvePath}
}

// resolvePath asks first for the path without a link on its way, which is one
// call for the many defaults that are not there.
func resolvePath(path string) (string, bool, error) {
	var st unix.Stat_t
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &how)
	if err == nil {
		defer unix.Close(fd)
		if err := unix.Fstat(fd, &st); err != nil {
			return "", false, &fs.PathError{Op: "fstat", Path: path, Err: err}
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			return path, st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", false, err
	}
	if err := unix.Lstat(resolved, &st); err != nil {
		return "", false, &fs.PathError{Op: "lstat", Path: resolved, Err: err}
	}
	return resolved, st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// NewPlan plans one run in the directory dir. Its errors name the setting that
// cannot be enforced.
func NewPlan(p *policy.Policy, dir string, host Host) (*Plan, error) {
	if host.LandlockABI == 0 && !p.AcceptsWeaker("landlock") {
		return nil, &Error{Protection: "landlock", What: "find Landlock", Err: errors.New("the kernel has none (Linux 5.13 with lsm=landlock)")}
	}
	b := builder{host: host, own: p.OwnDirs, plan: &Plan{LandlockABI: host.LandlockABI, Seccomp: true}}
	if err := b.identify(); err != nil {
		return nil, err
	}
	if err := b.collect(p, dir); err != nil {
		return nil, err
	}
	b.plan.AllUnixSockets = p.Network.AllUnixSockets
	for _, s := range p.Network.UnixSockets {
		b.plan.UnixSockets = append(b.plan.UnixSockets, s.Path)
	}
	b.plan.Mounts = treeOps(b.points)
	if p.Network.Mode != policy.ModeHost {
		b.plan.Mounts = append(b.plan.Mounts, b.nameFiles()...)
	}
	b.plan.Landlock = append(landlockRules(b.points), insideRules()...)
	return b.plan, b.checkMissing()
}

type builder struct {
	host    Host
	own     []string // srun's directories
	plan    *Plan
	points  []point
	missing []MissingPath
}

// identify takes down which directory the working directory is: while srun
// starts, another program could give its name to a link.
func (b *builder) identify() error {
	if b.host.WorkDir == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(b.host.WorkDir.Fd()), &st); err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	b.plan.dir = identity(&st)
	return nil
}

func identity(st *unix.Stat_t) fileID {
	return fileID{ino: st.Ino, dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)}
}

func (b *builder) collect(p *policy.Policy, dir string) error {
	f := p.Filesystem
	if dir != "/" { // a sandbox that may write everything is none: that takes a flag
		if err := b.add(policy.PathRule{Path: dir}, point{allowWrite: true, id: b.plan.dir}); err != nil {
			return fmt.Errorf("working directory: %w", err)
		}
	}
	for _, list := range []struct {
		rules []policy.PathRule
		as    point
	}{
		{f.AllowWrite, point{allowWrite: true}},
		{f.DenyWrite, point{denyWrite: true}},
		{f.AllowRead, point{allowRead: true}},
		{f.DenyRead, point{denyRead: true}},
	} {
		for _, r := range list.rules {
			if list.as.allowWrite && r.Source.Tier == policy.TierDefault {
				continue // the working directory, by name; above it is by its inode
			}
			as := list.as
			if as.denyRead && r.Source.Tier == policy.TierDefault {
				as = point{hideByDefault: true}
			}
			if err := b.add(r, as); err != nil {
				return err
			}
		}
	}
	return b.protect(p.Protected())
}

// add resolves one rule's path. A missing path in an allow list grants
// nothing; in a deny list it is remembered.
func (b *builder) add(r policy.PathRule, as point) error {
	if r.Missing && !as.denyWrite {
		return nil
	}
	resolved, dir, err := b.host.Resolve(r.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if as.denyWrite {
			b.missing = append(b.missing, MissingPath{Path: r.Path, Reason: r.Reason, Source: r.Source})
		}
		return nil
	case err != nil:
		return fmt.Errorf("%s: %s: %w", r.Source, r.Path, err)
	case strings.ContainsAny(resolved, "\x00\n"):
		return fmt.Errorf("%s: %q: a path with a newline cannot be enforced", r.Source, resolved)
	}
	for _, own := range ownTrees {
		if contains(own, resolved) && as.allowWrite {
			return fmt.Errorf("%s: cannot be made writable: the sandbox has a %s of its own", resolved, own)
		}
	}
	as.path, as.dir = resolved, dir
	b.points = append(b.points, as)
	return nil
}

// checkMissing keeps the missing paths that lie where the command may write.
func (b *builder) checkMissing() error {
	nodes := resolve(b.points)
	for _, m := range b.missing {
		parent, rest, err := b.existing(m.Path)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", m.Source, m.Path, err)
		}
		if n := at(nodes, parent); n.access == readWrite {
			m.Path, m.Root = filepath.Join(parent, rest), n.path
			b.plan.Missing = append(b.plan.Missing, m)
		}
	}
	return nil
}

// existing splits a missing path into its longest existing ancestor, resolved,
// and the rest.
func (b *builder) existing(path string) (parent, rest string, err error) {
	for dir := path; dir != "/"; {
		rest = filepath.Join(filepath.Base(dir), rest)
		dir = filepath.Dir(dir)
		resolved, _, err := b.host.Resolve(dir)
		if err == nil {
			return resolved, rest, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
	}
	return "/", rest, nil
}

// at returns the node that governs a path.
func at(nodes []*node, path string) *node {
	found := nodes[0]
	for _, n := range nodes {
		if contains(n.path, path) && len(n.path) >= len(found.path) {
			found = n
		}
	}
	return found
}

// landlockRules is the second layer: write below the writable roots. What a
// root's inner denials take away, only mounts can say.
func landlockRules(points []point) []LandlockRule {
	var rules []LandlockRule
	for _, n := range resolve(points) {
		if !n.allowWrite || n.access != readWrite {
			continue
		}
		rights := writeRights
		if !n.dir {
			rights &= fileRights
		}
		rules = append(rules, LandlockRule{Path: n.path, Rights: rights, id: n.id})
	}
	return rules
}

func insideRules() []LandlockRule {
	rules := []LandlockRule{{Path: "/dev", Rights: deviceRights, Inside: true}}
	for _, own := range ownWritable {
		rules = append(rules, LandlockRule{Path: own, Rights: writeRights | deviceRights, Inside: true})
	}
	return rules
}
