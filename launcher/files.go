package launcher

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"srun/policy"
	"srun/policy/pathtree"
)

// opUnixSocket is the operation of a refused connection to a Unix socket.
const opUnixSocket = "unix-socket"

// deniedFile reports a refused act on a file, with the rule that refused it.
func (c *Cmd) deniedFile(f FileDenial) {
	d := Denial{
		Time: time.Now(), Operation: f.Operation, Target: f.Path, Reason: f.Reason, PID: f.PID, Command: f.Command,
	}
	d.Rule, d.Source = f.Rule, f.Source
	switch {
	case f.Operation == opUnixSocket:
		d.Reason = "not in allowUnixSockets"
		d.Allow = []policy.Grant{{Kind: policy.GrantUnixSocket, Value: f.Path}}
	case f.Reason == "":
		v := fileVerdict(c.Policy, f)
		d.Reason, d.Rule, d.Source = v.Reason, v.Rule, v.Source
		d.Allow = fileGrants(c.Policy, f)
	case f.Protected:
		d.Allow = openGrants(c.Policy, f)
	}
	c.denied(d)
}

// agentOf is the agent that holds a private key, "" for what is none. No grant shows
// such a key.
func agentOf(p *policy.Policy, f FileDenial) policy.GrantKind {
	if !f.Secret || f.Operation == "write" {
		return ""
	}
	for _, home := range append([]string{p.Home}, p.OtherHomes...) {
		ssh, gpg := filepath.Join(home, ".ssh"), filepath.Join(home, ".gnupg")
		name := filepath.Base(f.Ruled)
		switch {
		case home == "" || f.Ruled == ssh || f.Ruled == gpg:
		case filepath.Dir(f.Ruled) == ssh && name != "config" && !strings.HasPrefix(name, "known_hosts") && !strings.HasPrefix(name, "authorized_keys"):
			return policy.GrantSSHAgent
		case pathtree.Contains(filepath.Join(gpg, "private-keys-v1.d"), f.Ruled) || f.Ruled == filepath.Join(gpg, "secring.gpg"):
			return policy.GrantGPGAgent
		}
	}
	return ""
}

// ofGnuPG tells of a path in GnuPG's directory, where a command has not got its agent:
// what gpg writes there is the first that is seen of it.
func ofGnuPG(p *policy.Policy, path string) bool {
	if slices.ContainsFunc(p.Network.UnixSockets, func(r policy.PathRule) bool { return r.At != "" }) {
		return false
	}
	return slices.ContainsFunc(append([]string{p.Home}, p.OtherHomes...), func(home string) bool {
		return home != "" && pathtree.Contains(filepath.Join(home, ".gnupg"), path)
	})
}

// fileVerdict finds the policy's reason. Where the policy knows none, the
// backend refused what it found itself: what git trusts, or a path that a rule
// leads to by a link.
func fileVerdict(p *policy.Policy, f FileDenial) policy.PathDecision {
	if f.Operation == "write" {
		v := p.WriteVerdict(f.Ruled)
		if v.Verdict == policy.Denied && (v.Rule != "" || !f.Fixed && !f.Hidden) {
			return v
		}
		if !f.Hidden {
			return policy.PathDecision{Verdict: policy.Denied, Source: policy.Source{Tier: policy.TierDefault}, Reason: "protected path"}
		}
	}
	v := p.ReadVerdict(f.Ruled)
	if v.Verdict == policy.Denied && v.Source.Tier == policy.TierDefault && agentOf(p, f) != "" {
		v.Reason = "private key"
	}
	if v.Verdict == policy.Denied {
		return v
	}
	if f.Secret {
		return policy.PathDecision{Verdict: policy.Denied, Source: policy.Source{Tier: policy.TierDefault}, Reason: "credentials, default deny list"}
	}
	return policy.PathDecision{Verdict: policy.Denied, Reason: "denyRead"}
}

// fileGrants returns what would allow it, nil where nothing would.
func fileGrants(p *policy.Policy, f FileDenial) []policy.Grant {
	if agent := agentOf(p, f); agent != "" {
		return []policy.Grant{{Kind: agent}}
	}
	if open := openGrants(p, f); open != nil {
		return open
	}
	if f.Operation == "write" && ofGnuPG(p, f.Ruled) {
		return []policy.Grant{{Kind: policy.GrantGPGAgent}}
	}
	unknown := f.Hidden && p.ReadVerdict(f.Ruled).Verdict != policy.Denied // through a link
	if f.Grant == "" || f.Grant == "/" || f.Fixed || unknown {
		return nil
	}
	with := *p
	rule := policy.PathRule{Path: f.Grant, Source: policy.Source{Tier: policy.TierFlag}}
	var grants []policy.Grant
	if f.Hidden {
		with.Filesystem.AllowRead = append([]policy.PathRule{rule}, p.Filesystem.AllowRead...)
		grants = append(grants, policy.Grant{Kind: policy.GrantRead, Value: f.Grant})
	}
	if f.Operation == "write" && p.WriteVerdict(f.Ruled).Verdict == policy.Denied {
		with.Filesystem.AllowWrite = append([]policy.PathRule{rule}, p.Filesystem.AllowWrite...)
		grants = append(grants, policy.Grant{Kind: policy.GrantWrite, Value: f.Grant})
	}
	readable := with.ReadVerdict(f.Ruled).Verdict == policy.Allowed
	writable := f.Operation != "write" || with.WriteVerdict(f.Ruled).Verdict == policy.Allowed
	if !readable || !writable {
		return nil
	}
	return grants
}

// openGrants returns what would let a project's protected path be written. For
// srun's own there is nothing; those of the home are not offered but where the
// command works in one.
func openGrants(p *policy.Policy, f FileDenial) []policy.Grant {
	v := p.WriteVerdict(f.Ruled)
	if f.Operation == "write" && f.Fixed && v.Verdict == policy.Allowed && policy.LoadedByDirenv(f.Ruled) {
		return []policy.Grant{{Kind: policy.GrantProtected, Value: f.Ruled}}
	}
	if f.Operation != "write" || f.Hidden || v.Reason != "protected path" || v.Rule == "" {
		return nil
	}
	open := f.Ruled
	if filepath.IsAbs(v.Rule) {
		if open = v.Rule; !pathtree.Contains(open, p.Dir) {
			return nil
		}
	}
	rule := policy.PathRule{Path: open, Source: policy.Source{Tier: policy.TierFlag}}
	with := *p
	with.Filesystem.OpenProtected = append([]policy.PathRule{rule}, p.Filesystem.OpenProtected...)
	if with.WriteVerdict(f.Ruled).Verdict != policy.Allowed {
		return nil
	}
	return []policy.Grant{{Kind: policy.GrantProtected, Value: open}}
}
