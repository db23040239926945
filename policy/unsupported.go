package policy

import "strings"

// Capabilities say what this build enforces on this host. The zero value
// enforces none of what is optional.
type Capabilities struct {
	LocalBinding bool // network.allowLocalBinding
	Publish      bool // --publish
	Forward      bool // --forward
	UnixSockets  bool // network.allowUnixSockets, by path
	AllUnix      bool // network.allowAllUnixSockets

	CustomProxy   bool // network.httpProxyPort, socksProxyPort
	UpstreamProxy bool // network.upstreamProxy
	AddressRules  bool // network.deniedResolvedAddresses
	TLSTerminate  bool
	RequestRules  bool // network.rules

	NetworkNone bool // --network none
	NetworkHost bool // --network host

	Globs        bool // wildcards in the filesystem lists
	MissingPaths bool // deny rules for paths that are not there yet

	Timeout, Memory, PIDs, CPUs bool

	Profiles bool
	Claude   bool // --claude
}

// Unsupported returns an error for each setting of the policy that can does
// not enforce. A run must not start while there is one: an entry that is not
// enforced is worse than none.
func (p *Policy) Unsupported(can Capabilities, flags Flags) []error {
	u := &unsupported{}
	u.network(&p.Network, can)
	u.filesystem(&p.Filesystem, can)
	u.scalar(p, "limits.timeout", p.Limits.Timeout != 0 && !can.Timeout)
	u.scalar(p, "limits.memory", p.Limits.Memory != 0 && !can.Memory)
	u.scalar(p, "limits.pids", p.Limits.PIDs != 0 && !can.PIDs)
	u.scalar(p, "limits.cpus", p.Limits.CPUs != 0 && !can.CPUs)
	u.scalar(p, "network.allowLocalBinding", p.Network.AllowLocalBinding && !can.LocalBinding)
	u.scalar(p, "network.allowAllUnixSockets", p.Network.AllUnixSockets && !can.AllUnix)
	u.scalar(p, "network.httpProxyPort", p.Network.HTTPProxyPort != 0 && !can.CustomProxy)
	u.scalar(p, "network.socksProxyPort", p.Network.SOCKSProxyPort != 0 && !can.CustomProxy)
	u.scalar(p, "network.upstreamProxy", p.Network.UpstreamProxy != nil && !can.UpstreamProxy)
	u.scalar(p, "network.tlsTerminate", p.Network.TLSTerminate != nil && !can.TLSTerminate)
	for _, e := range p.Profiles {
		u.when(!can.Profiles, e.Source, "profiles", "profile "+printable(e.Value))
	}
	u.when(flags.on("claude") && !can.Claude, flagSource("--claude"), "", "reading Claude Code's files")
	return u.errs
}

type unsupported struct{ errs []error }

// when adds an error for one entry.
func (u *unsupported) when(missing bool, s Source, key, what string) {
	if !missing {
		return
	}
	if s.Flag != "" {
		key = ""
	}
	u.errs = append(u.errs, &Error{
		File: s.File, Line: s.Line, Flag: s.Flag, Key: key, Msg: what + " cannot be enforced here",
	})
}

func (u *unsupported) scalar(p *Policy, key string, missing bool) {
	if !missing {
		return
	}
	var source Source
	for _, s := range p.Scalars {
		if s.Key == key {
			source = s.Source
		}
	}
	u.when(true, source, key, "the setting")
}

func (u *unsupported) network(n *Network, can Capabilities) {
	u.when(n.Mode == ModeNone && !can.NetworkNone, flagSource("--network"), "", "none")
	u.when(n.Mode == ModeHost && !can.NetworkHost, flagSource("--network"), "", "host")
	for _, r := range n.UnixSockets {
		u.when(!can.UnixSockets, r.Source, "network.allowUnixSockets", printable(r.Path))
	}
	for _, r := range n.DeniedResolvedAddresses {
		u.when(!can.AddressRules, r.Source, "network.deniedResolvedAddresses", r.Prefix.String())
	}
	u.requestRules(n, can)
	for _, r := range n.Publish {
		u.when(!can.Publish, r.Source, "", r.Addr.String())
	}
	for _, r := range n.Forward {
		u.when(!can.Forward, r.Source, "", "the port")
	}
}

func (u *unsupported) filesystem(f *Filesystem, can Capabilities) {
	for _, list := range []struct {
		key   string
		rules []PathRule
	}{
		{"filesystem.allowWrite", f.AllowWrite}, {"filesystem.denyWrite", f.DenyWrite},
		{"filesystem.allowRead", f.AllowRead}, {"filesystem.denyRead", f.DenyRead},
	} {
		for _, r := range list.rules {
			u.when(r.Glob && r.Source.Tier != TierDefault && !can.Globs, r.Source, list.key, "the glob "+printable(r.Path))
			u.when(r.Missing && !can.MissingPaths && strings.Contains(list.key, ".deny"), r.Source, list.key,
				printable(r.Path)+", which is not there yet,")
		}
	}
}
