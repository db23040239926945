//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"

	"srun/linux/broker"
	"srun/policy"
	"srun/policy/gitfiles"
	"srun/policy/pathtree"
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

	dir   fileID // of the working directory
	nodes nodes  // what holds where

	UnixSockets    []string // the host's, that may be connected to
	AllUnixSockets bool

	rules broker.Rules // what the broker holds
}

// LandlockRule grants rights at and below a path.
type LandlockRule struct {
	Path   string
	Rights landlock.AccessFSSet
	Inside bool // a mount of init's own
	id     fileID
}

// MissingPath is a path that may not be made and does not exist: no mount can
// hold its place. The directories on the way to it are pinned.
type MissingPath struct {
	Path   string // absolute; its longest existing ancestor has no symbolic link
	Root   string // the writable directory that it lies in
	Reason string
	Source policy.Source

	Protected bool // no setting denies it
}

// Host is what planning asks of the machine.
type Host struct {
	LandlockABI int
	WorkDir     *os.File // the working directory, where its name alone is not to be trusted
	Name        string   // the host's name, which /etc/hosts inside knows as well
	Trust       *Trust   // for the command, nil when it trusts what the host does

	find   func(path string) (place, error)
	git    gitfiles.Files
	mounts func() ([]mountPoint, error)
}

// ThisHost asks the real machine.
func ThisHost() Host {
	name, _ := os.Hostname() // without one, it is missing from /etc/hosts
	return Host{LandlockABI: LandlockABI(), Name: name, find: newFinder().find, git: hostFiles{}, mounts: hostMounts}
}

// Resolve returns where a path that is there leads.
func (h Host) Resolve(path string) (resolved string, dir bool, err error) {
	p, err := h.find(path)
	if err == nil && p.missing {
		err = &fs.PathError{Op: "find", Path: path, Err: fs.ErrNotExist}
	}
	return p.path, p.dir, err
}

// NewPlan plans one run in the directory dir. Its errors name the setting that
// cannot be enforced.
func NewPlan(p *policy.Policy, dir string, host Host) (*Plan, error) {
	if host.LandlockABI == 0 && !p.AcceptsWeaker("landlock") {
		return nil, &Error{Protection: "landlock", What: "find Landlock", Err: errors.New("the kernel has none (Linux 5.13 with lsm=landlock)")}
	}
	b := builder{host: host, dir: dir, opened: p.Opened, kept: map[string]bool{}, templates: []string{"/usr/share/git-core/templates"}, plan: &Plan{LandlockABI: host.LandlockABI, Seccomp: true}}
	if err := b.identify(); err != nil {
		return nil, err
	}
	if err := b.collect(p); err != nil {
		return nil, err
	}
	b.plan.AllUnixSockets = p.Network.AllUnixSockets
	for _, s := range p.Network.UnixSockets {
		b.plan.UnixSockets = append(b.plan.UnixSockets, s.Path)
	}
	if err := b.mounts(); err != nil {
		return nil, err
	}
	nodes := resolve(b.points)
	b.plan.nodes = nodes
	if err := b.checkAllowed(); err != nil {
		return nil, err
	}
	if err := b.checkMissing(nodes); err != nil {
		return nil, err
	}
	b.plan.Mounts = append(b.trustFile(), treeOps(nodes, b.links, b.ways)...)
	if p.Network.Mode != policy.ModeHost {
		b.plan.Mounts = append(b.plan.Mounts, b.nameFiles(nodes)...)
	}
	b.plan.Mounts = append(b.plan.Mounts, b.trustFiles(nodes)...)
	b.plan.Landlock = append(landlockRules(nodes), insideRules()...)
	b.plan.rules = b.brokerRules(p, nodes)
	return b.plan, nil
}

type builder struct {
	host    Host
	dir     string // the working directory
	plan    *Plan
	points  []point
	roots   nodes // of the writable paths alone
	missing []MissingPath
	links   []string      // on the way to denied paths
	ways    []string      // the last directory that is there, on the way to each missing path
	allowed []linkedAllow // allows that lead through a link
	globs   []broker.Glob // that hold for what is made later
	opened  func(path string) bool
	kept    map[string]bool // configurations that the broker judges

	templates []string // that git makes repositories from
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

// collect takes the policy's rules: what may be written first, for much of the
// rest counts only there.
func (b *builder) collect(p *policy.Policy) error {
	if b.dir != "/" { // a sandbox that may write everything is none: that takes a flag
		if err := b.add(policy.PathRule{Path: b.dir}, point{Effects: allowWrite, Own: facts{id: b.plan.dir}}); err != nil {
			return fmt.Errorf("working directory: %w", err)
		}
	}
	for _, r := range p.Filesystem.AllowWrite {
		if r.Source.Tier == policy.TierDefault {
			continue // the working directory, by name; above it is by its inode
		}
		if err := b.add(r, point{Effects: allowWrite}); err != nil {
			return err
		}
	}
	protected := p.Protected()
	trusted, err := b.repositories(p)
	if err != nil {
		return err
	}
	b.roots = resolve(b.points)
	if err := b.collectLists(&p.Filesystem); err != nil {
		return err
	}
	return b.protect(protected, trusted, p.Home)
}

func (b *builder) collectLists(f *policy.Filesystem) error {
	for _, list := range []struct {
		rules []policy.PathRule
		as    point
	}{
		{f.DenyWrite, point{Effects: denyWrite}},
		{f.AllowRead, point{Effects: allowRead}},
		{f.DenyRead, point{Effects: denyRead}},
	} {
		for _, r := range list.rules {
			as := list.as
			if as.DenyRead && r.Source.Tier == policy.TierDefault {
				as = point{Effects: hideByDefault, Own: facts{standIn: r.StandIn}}
			}
			if err := b.add(r, as); err != nil {
				return err
			}
		}
	}
	return nil
}

// landlockRules is the second layer: write below the writable roots. What a
// root's inner denials take away, only mounts can say.
func landlockRules(nodes nodes) []LandlockRule {
	var rules []LandlockRule
	for _, n := range nodes {
		if !n.AllowWrite || n.Access() != pathtree.ReadWrite {
			continue
		}
		rights := writeRights
		if !n.Own.dir {
			rights &= fileRights
		}
		rules = append(rules, LandlockRule{Path: n.Path, Rights: rights, id: n.Own.id})
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
