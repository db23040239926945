package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"

	"srun/policy"
	"srun/policy/pathtree"
)

// ownTemp is a temporary directory that every sandbox has, where /tmp is none.
const ownTemp = "/dev/tmp"

// OwnWritable are init's own mounts that stay writable.
var OwnWritable = []string{"/dev/pts", "/dev/shm", ownTemp}

// OwnTrees are replaced inside: nothing of the host's can be reached there.
var OwnTrees = []string{"/dev", "/proc"}

// Plan is everything that init does between a policy and the command, in
// order. It is what --explain prints and what is applied.
type Plan struct {
	Mounts      []Op
	Landlock    []LandlockRule
	LandlockABI int                  // 0: without it
	Handled     landlock.AccessFSSet // what its rules are about
	Scoped      bool                 // signals and abstract Unix sockets stay inside
	Missing     []MissingPath        // denied paths that do not exist yet

	Dir   string // the working directory
	DirID FileID // that it must have, or zero
	nodes nodes  // what holds where

	// Private are directories of the host's in whose place the command has its own:
	// each a tmpfs of the sandbox's mount namespace, so nothing of it is left however
	// the run ends. TempDir is where temporary files go.
	Private []string
	TempDir string
	Layers  []string // the same, over what the host has
	caches  []string // CachesDir, where there is one

	HostNetwork bool // no network namespace

	UnixSockets    []UnixSocket // the host's, that may be connected to
	AllUnixSockets bool

	Masked   []string          // what is hidden, also when the host replaces it
	Unmoved  map[string]string // paths that cannot be moved, by why
	Reopened []string          // hidden directories with something to be seen: other names are absent there
	Rules    Rules             // what the broker holds
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

// New plans one run in the directory dir. Its errors name the setting that
// cannot be enforced.
func New(p *policy.Policy, dir string, host Host) (*Plan, error) {
	if host.LandlockABI == 0 && !p.AcceptsWeaker("landlock") {
		return nil, &Error{Protection: "landlock", What: "find Landlock", Err: errors.New("the kernel has none (Linux 5.13 with lsm=landlock)")}
	}
	b := builder{host: host, dir: dir, opened: p.Opened, kept: map[string]bool{}, templates: []string{"/usr/share/git-core/templates"}, plan: begin(p, dir, host)}
	if err := b.collect(p); err != nil {
		return nil, err
	}
	if err := b.mounts(); err != nil {
		return nil, err
	}
	b.addTemps(p)
	b.addLayers(p)
	nodes := resolve(b.points)
	b.plan.nodes = nodes
	if err := b.checkAllowed(); err != nil {
		return nil, err
	}
	if err := b.checkMissing(nodes); err != nil {
		return nil, err
	}
	before, after := b.bareCaches()
	b.plan.Mounts = slices.Concat(b.trustFile(), before, b.diskTemps(), treeOps(nodes, b.links, b.ways), after)
	for _, op := range after {
		b.plan.caches = append(b.plan.caches, op.Path)
	}
	if !b.plan.HostNetwork {
		b.plan.Mounts = append(b.plan.Mounts, b.nameFiles(nodes)...)
	}
	b.plan.Mounts = append(b.plan.Mounts, b.trustFiles(nodes)...)
	b.plan.Landlock = b.plan.landlockRules()
	b.plan.index()
	b.plan.UnixSockets = b.unixSockets(p.Network.UnixSockets)
	b.plan.Rules = b.brokerRules(p, nodes)
	return b.plan, nil
}

// index takes from the mounts what others than init ask about.
func (p *Plan) index() {
	p.Unmoved = map[string]string{}
	for _, op := range p.Mounts {
		switch {
		case op.Kind == OpPin:
			p.Unmoved[op.Path] = "holds a protected path"
		case op.Kind == OpPinLink:
			p.Unmoved[op.Path] = "leads to a protected path"
		case op.Kind == OpMask && op.Slot != 0:
			p.Reopened = append(p.Reopened, op.Path)
		}
		if op.Kind == OpMask || op.StandIn { // a stand-in's next version is hidden
			p.Masked = append(p.Masked, op.Path)
		}
	}
}

// State tells what holds at a path of the host's.
func (p *Plan) State(path string) pathtree.State { return p.nodes.At(path).State }

// HiddenByDefault tells whether a path is hidden by the default list alone.
func (p *Plan) HiddenByDefault(path string) bool { return p.nodes.At(path).HiddenByDefault() }

// Writable tells whether the command may write at a path of the host's.
func (p *Plan) Writable(path string) bool {
	return !p.Own(path) && p.State(path).Access() == pathtree.ReadWrite
}

// begin is what a plan says before a path was looked at.
func begin(p *policy.Policy, dir string, host Host) *Plan {
	return &Plan{
		Dir: dir, DirID: host.Dir, HostNetwork: p.Network.Mode == policy.ModeHost, AllUnixSockets: p.Network.AllUnixSockets,
		LandlockABI: host.LandlockABI, Handled: handledRights(host.LandlockABI), Scoped: host.LandlockABI >= scopedABI,
	}
}

type builder struct {
	host    Host
	dir     string // the working directory
	root    string // what may be written without a rule, "" for nothing
	plan    *Plan
	points  []point
	roots   nodes // of the writable paths alone
	missing []MissingPath
	links   []string      // on the way to denied paths
	ways    []string      // the last directory that is there, on the way to each missing path
	allowed []linkedAllow // allows that lead through a link
	globs   []Glob        // that hold for what is made later
	opened  func(path string) bool
	kept    map[string]bool // configurations that the broker judges

	templates []string // that git makes repositories from
}

// collect takes the policy's rules: what may be written first, for much of the
// rest counts only there.
func (b *builder) collect(p *policy.Policy) error {
	if err := b.addRoot(p.Filesystem.WriteRoot); err != nil {
		return err
	}
	for _, r := range p.Filesystem.AllowWrite {
		if r.Source.Tier == policy.TierDefault {
			continue // the write root
		}
		if err := b.add(r, point{Effects: allowWrite}); err != nil {
			return err
		}
	}
	b.addHostTemps(&p.Filesystem)
	b.addHostCaches(p)
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

// addRoot adds what may be written without a rule: the working directory or the
// project that it is in. A sandbox that may write everything is none: that takes a
// flag.
func (b *builder) addRoot(root string) error {
	if root == "" {
		root = b.dir
	}
	if root == "/" {
		return nil
	}
	id, what := b.plan.DirID, "working directory"
	if root != b.dir {
		at, err := b.host.Find(root)
		if err == nil && !at.Missing {
			id, err = b.host.ID(at.Path)
		}
		if what = "project"; err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := b.add(policy.PathRule{Path: root}, point{Effects: allowWrite, Own: facts{id: id}}); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	b.root = root
	return nil
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
