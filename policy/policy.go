package policy

import (
	"net/netip"
	"net/url"
	"time"

	"srun/policy/redact"
)

// Policy is what a command may do: every setting of every source, merged,
// validated and with its paths resolved. Load makes one; a program that builds
// its own fills the fields it needs.
type Policy struct {
	Network     Network
	Filesystem  Filesystem
	Environment Environment
	Limits      Limits

	Weaker           []Weaker // protections whose absence is accepted
	Profiles         []Entry
	IgnoreViolations []ViolationRule
	Permissions      []Permission
	MacOS            MacOS
	Claude           ClaudeKeys

	// Scalars names the source of every key with a single value, for
	// --explain; defaults are not in it.
	Scalars []Scalar

	Dir     string // the command's directory, absolute
	Home    string // the user's home, absolute, or ""
	Project string // the nearest directory with .srun or .git, else Dir

	// OtherHomes are further homes whose files are protected as Home's are.
	OtherHomes []string

	// OwnDirs hold srun's managed settings, user settings and trust record.
	OwnDirs []string

	// RunsFile is where runs at the same time know of each other; "" is nowhere.
	RunsFile string
}

// Mode is how the command's network is set up. Only a flag chooses it.
type Mode string

// The modes of --network.
const (
	ModeFiltered Mode = "filtered" // through srun's proxy or not at all
	ModeNone     Mode = "none"
	ModeHost     Mode = "host" // the host's own network, unfiltered
)

// Network is section 4 of the contract.
type Network struct {
	Mode   Mode // "" is ModeFiltered
	Allow  []DomainRule
	Deny   []DomainRule
	Strict bool // never ask: what is not listed is denied

	AllowLocalBinding bool
	UnixSockets       []PathRule
	AllUnixSockets    bool

	HTTPProxyPort  int      // the user's own proxy on localhost, 0 for none
	SOCKSProxyPort int      // the same for SOCKS5
	UpstreamProxy  *url.URL // the corporate proxy to leave through, or nil
	NoProxy        string   // what goes past UpstreamProxy, as in NO_PROXY

	DeniedResolvedAddresses []AddressRule
	TLSTerminate            *TLSTerminate // nil is off
	Rules                   []RequestRule

	Publish []PublishRule
	Forward []PortRule

	domains *Domains
}

// Domains returns the compiled lists.
func (n *Network) Domains() *Domains {
	if n.domains == nil {
		return NewDomains(n.Allow, n.Deny)
	}
	return n.domains
}

// AddressRule is a range that an allowed name must not resolve to.
type AddressRule struct {
	Prefix netip.Prefix
	Source Source
}

// TLSTerminate asks the proxy to look inside TLS. The two CA paths are both
// set or both empty, which means a CA made for the run.
type TLSTerminate struct {
	CACertPath       string
	CAKeyPath        string
	ExcludeDomains   []DomainRule
	ExtraCACertPaths []string
	Source           Source
}

// RequestRule says what may be done on a host that is allowed.
type RequestRule struct {
	Host    Pattern
	Methods []string // upper case; empty is every method
	Paths   []string // globs that begin with "/"; empty is every path
	Action  Verdict  // Allowed or Denied
	Source  Source
}

// PublishRule makes a host port reach the sandbox's localhost.
type PublishRule struct {
	Addr   netip.AddrPort
	Inner  uint16
	Source Source
}

// PortRule is a port of the host's 127.0.0.1 that the sandbox's own reaches.
type PortRule struct {
	Port   uint16
	Source Source
}

// Filesystem is section 5 of the contract. Deny lists end with the defaults.
type Filesystem struct {
	AllowWrite     []PathRule // the last is WriteRoot
	DenyWrite      []PathRule
	AllowRead      []PathRule
	DenyRead       []PathRule
	AllowGitConfig bool

	// WriteRoot is the project that Dir is in, or Dir.
	WriteRoot string

	Devices []PathRule // of the host's, that are there inside

	Tmp    string // TmpPrivate, TmpHost or the directory that the private one is made in; "" is TmpPrivate
	Caches string // CachesPrivate, CachesShared or CachesOff; "" is CachesPrivate

	// OpenProtected are protected paths that this run may write, if AllowWrite
	// covers them. A flag alone sets it. See Policy.Opened.
	OpenProtected []PathRule
}

// PathRule is one path of a list. It covers the path and all below it.
type PathRule struct {
	Path    string // absolute and clean; symbolic links are not resolved
	Glob    bool   // Path holds doublestar wildcards
	Literal bool   // the user said that Path holds none
	Missing bool   // nothing was there when the policy was loaded; globs are not looked up
	Source  Source
	Reason  string // why a default is there, else ""
	StandIn string // of a default: what a hidden file reads as, EmptyDir, or "" for an error

	At string // of a Unix socket: where it is inside, "" for its own path

	Settings redact.Format // in which it holds settings beside the secrets; these are shown
}

// EmptyDir stands in for a directory.
const EmptyDir = "/"

// Limits bound the whole process tree; 0 is no limit.
type Limits struct {
	Timeout time.Duration
	Memory  int64 // bytes
	PIDs    int
	CPUs    float64 // 1.5 is one CPU and a half
}

// Entry is a word of a list.
type Entry struct {
	Value  string
	Source Source
}

// ViolationRule leaves denials out of the report; they stay denied.
type ViolationRule struct {
	Command string // a pattern, or "*"
	Targets []string
	Source  Source
}

// Permission is one line of Claude Code's grammar as written. What srun
// enforces of it is also in the network and filesystem lists.
type Permission struct {
	Action string // "allow", "deny" or "ask"
	Rule   string
	Source Source
}

// MacOS holds the keys that mean something on macOS alone.
type MacOS struct {
	WeakerNetworkIsolation bool
	AllowAppleEvents       bool
	AllowPty               bool
	MachLookup             []Entry
}

// ClaudeKeys are read from Claude-shaped files and change nothing: srun never
// runs a command unsandboxed because of a file. The booleans are nil where no
// file sets them.
type ClaudeKeys struct {
	Enabled                  *bool
	AutoAllowBashIfSandboxed *bool
	AllowUnsandboxedCommands *bool
	FailIfUnavailable        *bool
	ExcludedCommands         []Entry
}

// Scalar is a key with one value.
type Scalar struct {
	Key    string
	Value  string
	Source Source
}
