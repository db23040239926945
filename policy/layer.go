package policy

import (
	"net/url"
	"time"
)

// layer is what one settings file says, or all the flags together. Layers are
// merged strongest first. Each field but source, unused and notices is kept by
// a row of the table: TestTableKnowsEveryField holds it to that.
type layer struct {
	source Source // the file or flag tier as a whole

	managedDomainsOnly, managedReadOnly opt[bool]
	strict, localBinding, allUnix       opt[bool]
	httpPort, socksPort                 opt[int]
	upstream                            opt[*url.URL]
	noProxy                             opt[string]
	tls                                 opt[TLSTerminate]
	gitConfig                           opt[bool]
	writeRoot, tmp, caches              opt[string]

	timeout opt[time.Duration]
	memory  opt[int64]
	pids    opt[int]
	cpus    opt[float64]

	weakerNested, weakerNetwork, appleEvents, pty  opt[bool]
	enabled, autoAllow, unsandboxed, failIfMissing opt[bool]

	allow, deny []DomainRule
	reasons     []reasonRule
	unix        []PathRule
	addresses   []AddressRule
	rules       []RequestRule
	mach        []Entry

	allowWrite, denyWrite, allowRead, denyRead []PathRule
	devices                                    []PathRule

	envDeny, envAllow []EnvRule

	ignore      []ViolationRule
	profiles    []Entry
	permissions []Permission
	excluded    []Entry

	// These come from flags alone.
	mode          opt[Mode]
	publish       []PublishRule
	forward       []PortRule
	envSet        []EnvVar
	envUnset      []EnvRule
	weaker        []Weaker
	openProtected []PathRule

	unused  []unusedKey
	notices []Notice
}

// unusedKey is a key of another program that this one has no use for.
type unusedKey struct{ key, why string }

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

func given[T any](v T, s Source) opt[T] { return opt[T]{v, s, true} }

// or fills o from a weaker layer.
func (o *opt[T]) or(weaker opt[T]) {
	if !o.set {
		*o = weaker
	}
}
