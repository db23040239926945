package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy"
	"srun/policy/redact"
)

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
	if err := b.addOwn(p); err != nil {
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
	before, after := b.bareCaches()
	ops := treeOps(nodes, b.links, b.ways)
	if len(b.plan.Layers) > 0 {
		ops = b.inLayers(nodes, ops)
	}
	devices, err := b.devices(p.Filesystem.Devices)
	if err != nil {
		return nil, err
	}
	sockets, stand, err := b.standIns(p.Network.UnixSockets)
	if err != nil {
		return nil, err
	}
	b.plan.Mounts = slices.Concat(b.trustFile(), devices, sockets, before, b.diskTemps(), ops, after, stand)
	for _, op := range after {
		b.plan.caches = append(b.plan.caches, op.Path)
	}
	if !b.plan.HostNetwork {
		b.plan.Mounts = append(b.plan.Mounts, b.nameFiles(nodes)...)
	}
	b.plan.Mounts = slices.Concat(b.plan.Mounts, b.sshConfigs(p.Home, nodes), b.trustFiles(nodes))
	b.plan.Landlock = b.plan.landlockRules()
	b.plan.index()
	b.plan.Rules = b.brokerRules(p, nodes)
	b.plan.UnixSockets, err = b.unixSockets(p.Network.UnixSockets)
	return b.plan, err
}

// begin is what a plan says before a path was looked at.
func begin(p *policy.Policy, dir string, host Host) *Plan {
	return &Plan{
		Dir: dir, DirID: host.Dir, HostNetwork: p.Network.Mode == policy.ModeHost, AllUnixSockets: p.Network.AllUnixSockets,
		LandlockABI: host.LandlockABI, Handled: handledRights(host.LandlockABI), Scoped: host.LandlockABI >= scopedABI,
	}
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
				as = point{Effects: hideByDefault, Own: facts{standIn: b.standIn(r)}}
			}
			if r.Path == "/" && as.DenyRead {
				b.denyAll()
				continue
			}
			if err := b.add(r, as); err != nil {
				return err
			}
		}
	}
	return nil
}

// denyAll hides everything, by what there is in the root directory: a mask over that
// itself would take the sandbox's own trees along. Nobody but the host's root makes
// anything there later. What another rule allows by the very name stays.
func (b *builder) denyAll() {
	named := slices.Clone(b.points)
	for _, name := range b.host.ReadDir("/") {
		at, err := b.host.Find("/" + name)
		if err != nil || at.Missing || len(at.Links) > 0 || slices.Contains(OwnTrees, at.Path) ||
			slices.ContainsFunc(named, func(p point) bool { return p.Path == at.Path && (p.AllowRead || p.AllowWrite) }) {
			continue
		}
		b.points = append(b.points, point{Path: at.Path, Effects: denyRead, Own: facts{dir: at.Dir}})
	}
}

// standIn is what a hidden file reads as. A link in the place of settings is followed
// to a file of that name alone: who may write the home once could have made one to a
// key.
func (b *builder) standIn(r policy.PathRule) string {
	if r.Settings == redact.None || r.Missing {
		return r.StandIn
	}
	at, err := b.host.Find(r.Path)
	if err != nil || at.Missing || at.Dir || strings.TrimPrefix(filepath.Base(at.Path), ".") != strings.TrimPrefix(filepath.Base(r.Path), ".") {
		return r.StandIn
	}
	if shown, ok := redact.Text(r.Settings, b.host.ReadFile(at.Path)); ok {
		return shown
	}
	return r.StandIn
}
