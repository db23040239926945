package policy

import (
	"net/url"
	"time"
)

// layer is what one settings file says, or all the flags together. Layers are
// merged strongest first.
type layer struct {
	source Source // the file or flag tier as a whole

	managedDomainsOnly, managedReadOnly opt[bool]
	strict, localBinding, allUnix       opt[bool]
	httpPort, socksPort                 opt[int]
	upstream                            opt[*url.URL]
	noProxy                             opt[string]
	tls                                 opt[*TLSTerminate]
	gitConfig                           opt[bool]
	limits                              limitsLayer

	weakerNested, weakerNetwork, appleEvents, pty  opt[bool]
	enabled, autoAllow, unsandboxed, failIfMissing opt[bool]

	allow, deny []DomainRule
	reasons     []reasonRule
	unix        []PathRule
	addresses   []AddressRule
	rules       []RequestRule
	mach        []Entry

	allowWrite, denyWrite, allowRead, denyRead []PathRule

	envDeny, envAllow []EnvRule

	ignore      []ViolationRule
	profiles    []Entry
	permissions []Permission
	excluded    []Entry

	// These come from flags alone.
	mode          Mode
	publish       []PublishRule
	forward       []PortRule
	envSet        []EnvVar
	envUnset      []EnvRule
	weaker        []Weaker
	openProtected []PathRule

	unused  []string // keys of other programs that this one has no use for
	notices []Notice
}

type limitsLayer struct {
	timeout opt[time.Duration]
	memory  opt[int64]
	pids    opt[int]
	cpus    opt[float64]
}

type reasonRule struct {
	pattern Pattern
	text    string
}

// opt is a scalar setting that may be unset.
type opt[T any] struct {
	value  T
	source Source
	set    bool
}

func setting[T any](v T, s Source) opt[T] { return opt[T]{v, s, true} }

// or fills o from a weaker layer.
func (o *opt[T]) or(weaker opt[T]) {
	if !o.set {
		*o = weaker
	}
}

// merge adds a weaker layer: scalars where none is set, lists at the end.
func (l *layer) merge(w *layer) {
	l.managedDomainsOnly.or(w.managedDomainsOnly)
	l.managedReadOnly.or(w.managedReadOnly)
	l.strict.or(w.strict)
	l.localBinding.or(w.localBinding)
	l.allUnix.or(w.allUnix)
	l.httpPort.or(w.httpPort)
	l.socksPort.or(w.socksPort)
	l.upstream.or(w.upstream)
	l.noProxy.or(w.noProxy)
	l.tls.or(w.tls)
	l.gitConfig.or(w.gitConfig)
	l.limits.timeout.or(w.limits.timeout)
	l.limits.memory.or(w.limits.memory)
	l.limits.pids.or(w.limits.pids)
	l.limits.cpus.or(w.limits.cpus)
	l.weakerNested.or(w.weakerNested)
	l.weakerNetwork.or(w.weakerNetwork)
	l.appleEvents.or(w.appleEvents)
	l.pty.or(w.pty)
	l.enabled.or(w.enabled)
	l.autoAllow.or(w.autoAllow)
	l.unsandboxed.or(w.unsandboxed)
	l.failIfMissing.or(w.failIfMissing)
	l.mergeLists(w)
}

func (l *layer) mergeLists(w *layer) {
	l.allow = append(l.allow, w.allow...)
	l.deny = append(l.deny, w.deny...)
	l.reasons = append(l.reasons, w.reasons...)
	l.unix = append(l.unix, w.unix...)
	l.addresses = append(l.addresses, w.addresses...)
	l.rules = append(l.rules, w.rules...)
	l.mach = append(l.mach, w.mach...)
	l.allowWrite = append(l.allowWrite, w.allowWrite...)
	l.denyWrite = append(l.denyWrite, w.denyWrite...)
	l.allowRead = append(l.allowRead, w.allowRead...)
	l.denyRead = append(l.denyRead, w.denyRead...)
	l.envDeny = append(l.envDeny, w.envDeny...)
	l.envAllow = append(l.envAllow, w.envAllow...)
	l.ignore = append(l.ignore, w.ignore...)
	l.profiles = append(l.profiles, w.profiles...)
	l.permissions = append(l.permissions, w.permissions...)
	l.excluded = append(l.excluded, w.excluded...)
	l.notices = append(l.notices, w.notices...)
}

// lower takes only what is stricter of an untrusted layer's limits.
func (l *limitsLayer) lower(w limitsLayer) {
	lowest(&l.timeout, w.timeout)
	lowest(&l.memory, w.memory)
	lowest(&l.pids, w.pids)
	lowest(&l.cpus, w.cpus)
}

func lowest[T int | int64 | float64 | time.Duration](o *opt[T], w opt[T]) {
	if w.set && (!o.set || w.value < o.value) {
		*o = w
	}
}
