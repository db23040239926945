package policy

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"srun/policy/pathtree"
)

// build makes the policy of the merged layers.
func (l *layer) build(o Options, project string) *Policy {
	p := &Policy{
		Dir: o.Dir, Home: o.Home, Project: project, OtherHomes: o.OtherHomes, OwnDirs: o.ownDirs(), RunsFile: o.RunsFile,
		Profiles:         unique(l.profiles, func(e Entry) string { return e.Value }),
		IgnoreViolations: l.ignore,
		Scalars:          l.scalars(),
		Permissions:      l.permissions,
	}
	p.network(l, o)
	p.filesystem(l, o)
	p.Environment = Environment{
		Deny:  withDefaults(unique(l.envDeny, envKey), defaultEnvRules()),
		Allow: unique(l.envAllow, envKey),
		Set:   l.envSet,
		Unset: l.envUnset,
	}
	p.Limits.Timeout = l.timeout.value
	p.Limits.Memory = l.memory.value
	p.Limits.PIDs = l.pids.value
	p.Limits.CPUs = l.cpus.value
	p.weaker(l)
	p.otherPrograms(l)
	return p
}

func envKey(r EnvRule) string { return r.Glob }

func (p *Policy) network(l *layer, o Options) {
	n := &p.Network
	n.Mode = l.mode.value
	if n.Mode == "" {
		n.Mode = ModeFiltered
	}
	managedOnly := l.managedDomainsOnly.value
	n.Strict = l.strict.value || managedOnly
	n.AllowLocalBinding = l.localBinding.value
	n.AllUnixSockets = l.allUnix.value
	n.HTTPProxyPort = l.httpPort.value
	n.SOCKSProxyPort = l.socksPort.value
	n.UpstreamProxy = l.upstream.value
	n.NoProxy = l.noProxy.value
	if l.tls.set {
		n.TLSTerminate = &l.tls.value
	}
	n.Allow = unique(l.allow, domainKey)
	if managedOnly {
		before := len(n.Allow)
		n.Allow = slices.DeleteFunc(n.Allow, func(r DomainRule) bool { return r.Source.Tier != TierManaged })
		if len(n.Allow) < before {
			l.notices = append(l.notices, Notice{
				Source: l.managedDomainsOnly.source, Msg: "network.allowManagedDomainsOnly: allowed domains of other sources ignored",
			})
		}
	}
	n.Deny = unique(l.deny, domainKey)
	n.addReasons(l.reasons)
	n.UnixSockets = unique(l.unix, pathKey)
	for _, s := range o.Stands {
		n.UnixSockets = append(n.UnixSockets, PathRule{Path: s.Path, At: s.At, Literal: true, Source: flagSource(s.Flag)})
	}
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
	managedOnly := l.managedReadOnly.value
	root := PathRule{Path: o.Dir, Literal: true, Source: Source{Tier: TierDefault}, Reason: "the command's directory"}
	if l.writeRoot.value != WriteRootCwd && p.Project != o.Dir && !o.aroundHome(p.Project) && projectIsOurs(p.Project, o.Dir) {
		root.Path, root.Reason = p.Project, "the project"
	}
	p.Filesystem = Filesystem{
		WriteRoot:      root.Path,
		Tmp:            cmp.Or(l.tmp.value, TmpPrivate),
		Caches:         cmp.Or(l.caches.value, CachesPrivate),
		AllowWrite:     append(unique(l.allowWrite, pathKey), root),
		DenyWrite:      unique(readWidely(l.denyWrite), pathKey),
		AllowRead:      slices.Concat(unique(l.allowRead, pathKey), o.defaultAllowRead(l.denyRead), o.allowStart(l.denyRead)),
		DenyRead:       withDefaults(unique(readWidely(l.denyRead), pathKey), o.defaultDenyRead()),
		AllowGitConfig: l.gitConfig.value,
		Devices:        unique(l.devices, pathKey),
		OpenProtected:  l.openProtected,
	}
	if t := p.Network.TLSTerminate; t != nil && t.CAKeyPath != "" {
		key := PathRule{Path: t.CAKeyPath, Literal: true, Source: t.Source, Reason: "the key of tlsTerminate's CA"}
		p.Filesystem.DenyRead = append([]PathRule{key}, p.Filesystem.DenyRead...)
	}
	if managedOnly {
		p.Filesystem.AllowRead = slices.DeleteFunc(p.Filesystem.AllowRead, func(r PathRule) bool {
			return r.Source.Tier != TierManaged && r.Source.Tier != TierDefault
		})
	}
}

// aroundHome tells whether a directory is a home, or has one somewhere below: a
// repository of dot files is there, and what may be written there is too much.
func (o Options) aroundHome(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return true
	}
	for _, home := range append([]string{o.Home}, o.OtherHomes...) {
		if home == "" {
			continue
		}
		if at, err := filepath.EvalSymlinks(home); err == nil {
			home = at
		}
		if pathtree.Contains(real, home) {
			return true
		}
	}
	return real == "/"
}

// projectIsOurs tells whether what makes a directory a project is the user's, root's,
// or of who owns the working directory: in one that all may write, anybody could have
// made it.
func projectIsOurs(project, dir string) bool {
	owner := func(path string) (uid int, ok bool) {
		info, err := os.Lstat(path)
		if err != nil {
			return 0, false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		return int(st.Uid), ok
	}
	cwd, _ := owner(dir)
	for _, name := range projectMarks {
		if uid, ok := owner(filepath.Join(project, name)); ok && (uid == os.Getuid() || uid == 0 || uid == cwd) {
			return true
		}
	}
	return false
}

func pathKey(r PathRule) string { return strconv.FormatBool(r.Glob) + r.Path }

func (p *Policy) weaker(l *layer) {
	p.Weaker = l.weaker
	if !l.weakerNested.value {
		return
	}
	for _, name := range nestedWeaker() {
		p.Weaker = append(p.Weaker, Weaker{name, l.weakerNested.source})
	}
}

// otherPrograms takes the keys of macOS and of Claude Code.
func (p *Policy) otherPrograms(l *layer) {
	p.MacOS = MacOS{
		WeakerNetworkIsolation: l.weakerNetwork.value,
		AllowAppleEvents:       l.appleEvents.value,
		AllowPty:               l.pty.value,
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
