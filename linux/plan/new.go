package plan

import (
	"errors"
	"fmt"

	"srun/policy"
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
	nodes := resolve(b.points)
	b.plan.nodes = nodes
	if err := b.checkAllowed(); err != nil {
		return nil, err
	}
	if err := b.checkMissing(nodes); err != nil {
		return nil, err
	}
	b.plan.Mounts = append(b.trustFile(), treeOps(nodes, b.links, b.ways)...)
	if !b.plan.HostNetwork {
		b.plan.Mounts = append(b.plan.Mounts, b.nameFiles(nodes)...)
	}
	b.plan.Mounts = append(b.plan.Mounts, b.trustFiles(nodes)...)
	b.plan.Landlock = landlockRules(nodes, b.plan.Handled)
	b.plan.index()
	b.plan.UnixSockets = b.unixSockets(p.Network.UnixSockets)
	b.plan.Rules = b.brokerRules(p, nodes)
	return b.plan, nil
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
	if b.dir != "/" { // a sandbox that may write everything is none: that takes a flag
		if err := b.add(policy.PathRule{Path: b.dir}, point{Effects: allowWrite, Own: facts{id: b.plan.DirID}}); err != nil {
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
