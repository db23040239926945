package plan

import (
	"path/filepath"
	"strings"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"srun/policy"
	"srun/policy/pathtree"
)

// brokerRules are what no mount can hold: paths that are not there, names at any
// depth, and what would appear in a git directory.
func (b *builder) brokerRules(p *policy.Policy, nodes nodes) Rules {
	r := Rules{
		Own: b.plan.ownWritable(), Shown: b.plan.shown(), Reserved: map[string]Why{}, Held: map[string]bool{}, Kept: b.kept, Globs: b.globs,
		AllowGitConfig: p.Filesystem.AllowGitConfig,
	}
	for _, rule := range b.plan.Landlock {
		if rule.Rights&ll.AccessFSWriteFile != 0 {
			r.Writable = append(r.Writable, rule.Path)
		}
	}
	for _, m := range b.plan.Missing {
		r.Reserved[m.Path] = m.why(m.Reason)
	}
	for _, n := range nodes { // the host may replace one, and its mount is gone
		if n.DenyWrite && n.InWrite {
			if _, known := r.Reserved[n.Path]; !known {
				r.Reserved[n.Path] = Why{}
			}
		}
	}
	for _, op := range b.plan.Mounts {
		r.Held[op.Path] = true
	}
	for _, name := range p.Protected() {
		if name.Anywhere && !strings.HasPrefix(name.Path, ".git/") {
			r.Names = append(r.Names, Name{Name: pathtree.Name(name.Path), Reason: name.Reason})
		}
	}
	for _, template := range b.templates {
		hooks, err := b.host.Find(filepath.Join(template, "hooks"))
		if err == nil && hooks.Dir && nodes.At(hooks.Path).Access() != pathtree.ReadWrite {
			r.Templates = append(r.Templates, template)
		}
	}
	r.Opened = p.Opened
	r.Git.AllowedHost = func(host string, port int) bool { return hostAllowed(p, host, port) }
	return r
}

// hostAllowed tells whether the policy's lists allow a host, without a question.
func hostAllowed(p *policy.Policy, host string, port int) bool {
	h, err := policy.ParseHost(host)
	return err == nil && p.Network.Domains().Decide(policy.HostPort{Host: h, Port: uint16(port)}).Verdict == policy.Allowed
}
