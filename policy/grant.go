package policy

// Grant is one entry of a policy as data: what would allow a refused act, or what
// did. How it is written, as a flag or in a file, is for who shows it to a user.
type Grant struct {
	Kind  GrantKind
	Value string
}

// GrantKind is which entry it is.
type GrantKind string

// The kinds, each with its value.
const (
	GrantDomain     GrantKind = "allow domain"      // a host, with a port where that matters
	GrantRead       GrantKind = "allow read"        // an absolute path
	GrantWrite      GrantKind = "allow write"       // an absolute path
	GrantProtected  GrantKind = "open protected"    // an absolute path
	GrantUnixSocket GrantKind = "allow unix socket" // an absolute path
	GrantForward    GrantKind = "forward"           // a port of the host's localhost
	GrantPublish    GrantKind = "publish"           // an address of the host's with a port, and a port inside
	GrantNetwork    GrantKind = "network"           // a Mode
	GrantSSHAgent   GrantKind = "ssh agent"         // no value: the agent signs, and its keys stay where they are
	GrantGPGAgent   GrantKind = "gpg agent"         // the same
)

// String is the grant where nobody gave it a better word.
func (g Grant) String() string { return string(g.Kind) + " " + g.Value }
