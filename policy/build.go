package policy

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

// build makes the policy of the merged layers.
func (l *layer) build(o Options, project string) *Policy {
	p := &Policy{
		Dir: o.Dir, Home: o.Home, Project: project, OtherHomes: o.OtherHomes, OwnDirs: o.ownDirs(), RunsFile: o.RunsFile,
		Profiles:         unique(l.profiles, func(e Entry) string { return e.Value }),
		IgnoreViolations: l.ignore,
		Permissions:      l.permissions,
	}
	p.network(l)
	p.filesystem(l, o)
	p.Environment = Environment{
		Deny:  withDefaults(unique(l.envDeny, envKey), defaultEnvRules()),
		Allow: unique(l.envAllow, envKey),
		Set:   l.envSet,
		Unset: l.envUnset,
	}
	p.Limits.Timeout = scalar(p, "limits.timeout", l.limits.timeout)
	p.Limits.Memory = scalar(p, "limits.memory", l.limits.memory)
	p.Limits.PIDs = scalar(p, "limits.pids", l.limits.pids)
	p.Limits.CPUs = scalar(p, "limits.cpus", l.limits.cpus)
	p.weaker(l)
	p.otherPrograms(l)
	return p
}

func envKey(r EnvRule) string { return r.Glob }

// scalar takes a setting into the policy and notes where it came from.
func scalar[T any](p *Policy, key string, o opt[T]) T {
	if o.set {
		text := fmt.Sprint(o.value)
		if u, ok := any(o.value).(*url.URL); ok {
			text = u.Redacted()
		}
		p.Scalars = append(p.Scalars, Scalar{key, text, o.source})
	}
	return o.value
}

func (p *Policy) network(l *layer) {
	n := &p.Network
	n.Mode = l.mode
	if n.Mode == "" {
		n.Mode = ModeFiltered
	}
	managedOnly := scalar(p, "network.allowManagedDomainsOnly", l.managedDomainsOnly)
	n.Strict = scalar(p, "network.strictAllowlist", l.strict) || managedOnly
	n.AllowLocalBinding = scalar(p, "network.allowLocalBinding", l.localBinding)
	n.AllUnixSockets = scalar(p, "network.allowAllUnixSockets", l.allUnix)
	n.HTTPProxyPort = scalar(p, "network.httpProxyPort", l.httpPort)
	n.SOCKSProxyPort = scalar(p, "network.socksProxyPort", l.socksPort)
	n.UpstreamProxy = scalar(p, "network.upstreamProxy", l.upstream)
	n.NoProxy = scalar(p, "network.parentProxy.noProxy", l.noProxy)
	if n.TLSTerminate = l.tls.value; l.tls.set {
		p.Scalars = append(p.Scalars, Scalar{"network.tlsTerminate", "on", l.tls.source})
	}
	n.Allow = unique(l.allow, domainKey)
	if managedOnly {
		before := len(n.Allow)
		n.Allow = slices.DeleteFunc(n.Allow, func(r DomainRule) bool { return r.Source.Tier != TierManaged })
		if len(n.Allow) < before {
			l.notices = append(l.notices, Notice{
				l.managedDomainsOnly.source, "network.allowManagedDomainsOnly: allowed domains of other sources ignored",
			})
		}
	}
	n.Deny = unique(l.deny, domainKey)
	n.addReasons(l.reasons)
	n.UnixSockets = unique(l.unix, pathKey)
	n.DeniedResolvedAddresses = unique(l.addresses, func(r AddressRule) string { return r.Prefix.String() })
	n.Rules, n.Publish, n.Forward = l.rules, l.publish, l.forward
	n.domains = NewDomains(n.Allow, n.Deny)
}

func domainKey(r DomainRule) Pattern { return r.Pattern }

// addReasons puts each text with the deny rule it explains. The first, of the
// strongest source, counts.
func (n *Network) addReasons(reasons []reasonRule) {
	if len(reasons) == 0 {
		return
	}
	texts := make(map[Pattern]string, len(reasons))
	for _, r := range slices.Backward(reasons) {
		texts[r.pattern] = r.text
	}
	for i := range n.Deny {
		n.Deny[i].Reason = texts[n.Deny[i].Pattern]
	}
}

func (p *Policy) filesystem(l *layer, o Options) {
	managedOnly := scalar(p, "filesystem.allowManagedReadPathsOnly", l.managedReadOnly)
	cwd := PathRule{Path: o.Dir, Literal: true, Source: Source{Tier: TierDefault}, Reason: "the command's directory"}
	p.Filesystem = Filesystem{
		AllowWrite:     append(unique(l.allowWrite, pathKey), cwd),
		DenyWrite:      unique(readWidely(l.denyWrite), pathKey),
		AllowRead:      unique(l.allowRead, pathKey),
		DenyRead:       withDefaults(unique(readWidely(l.denyRead), pathKey), o.defaultDenyRead()),
		AllowGitConfig: scalar(p, "filesystem.allowGitConfig", l.gitConfig),
		OpenProtected:  l.openProtected,
	}
	if t := p.Network.TLSTerminate; t != nil && t.CAKeyPath != "" {
		key := PathRule{Path: t.CAKeyPath, Literal: true, Source: t.Source, Reason: "the key of tlsTerminate's CA"}
		p.Filesystem.DenyRead = append([]PathRule{key}, p.Filesystem.DenyRead...)
	}
	if managedOnly {
		p.Filesystem.AllowRead = slices.DeleteFunc(p.Filesystem.AllowRead, func(r PathRule) bool {
			return r.Source.Tier != TierManaged
		})
	}
}

func pathKey(r PathRule) string { return strconv.FormatBool(r.Glob) + r.Path }

func (p *Policy) weaker(l *layer) {
	p.Weaker = l.weaker
	if !scalar(p, "enableWeakerNestedSandbox", l.weakerNested) {
		return
	}
	for _, name := range nestedWeaker() {
		p.Weaker = append(p.Weaker, Weaker{name, l.weakerNested.source})
	}
}

// otherPrograms takes the keys of macOS and of Claude Code.
func (p *Policy) otherPrograms(l *layer) {
	p.MacOS = MacOS{
		WeakerNetworkIsolation: scalar(p, "enableWeakerNetworkIsolation", l.weakerNetwork),
		AllowAppleEvents:       scalar(p, "allowAppleEvents", l.appleEvents),
		AllowPty:               scalar(p, "allowPty", l.pty),
		MachLookup:             unique(l.mach, func(e Entry) string { return e.Value }),
	}
	p.Claude = ClaudeKeys{
		Enabled:                  l.enabled.pointer(),
		AutoAllowBashIfSandboxed: l.autoAllow.pointer(),
		AllowUnsandboxedCommands: l.unsandboxed.pointer(),
		FailIfUnavailable:        l.failIfMissing.pointer(),
		ExcludedCommands:         l.excluded,
	}
}

func (o opt[T]) pointer() *T {
	if !o.set {
		return nil
	}
	return &o.value
}

// withDefaults appends without a copy where there is nothing to append to.
func withDefaults[T any](list, defaults []T) []T {
	if len(list) == 0 {
		return defaults
	}
	return append(list, defaults...)
}

// unique drops entries whose key came before, in place.
func unique[T any, K comparable](list []T, key func(T) K) []T {
	if len(list) < 2 {
		return list
	}
	seen := make(map[K]struct{}, len(list))
	return slices.DeleteFunc(list, func(e T) bool {
		k := key(e)
		_, again := seen[k]
		seen[k] = struct{}{}
		return again
	})
}
