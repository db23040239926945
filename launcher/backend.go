package launcher

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"

	"srun/policy"
)

// Backend is what one kind of host enforces a policy with. What all of them need
// (the proxy, the environment, published ports, limits on time) is this package's.
type Backend interface {
	// Capabilities is what it enforces of policies.
	Capabilities() policy.Capabilities

	// Probe finds out what this host can enforce, by use.
	Probe() []Check

	// Plan works a run out and starts nothing. Its errors name the setting, or the
	// protection (see Missing), that cannot be enforced here.
	Plan(Work) (Plan, error)
}

// Work is what a plan is made of.
type Work struct {
	Policy  *policy.Policy
	Dir     string   // absolute
	WorkDir *os.File // that Dir must be, or nil
	Layers  []Layer  // over caches
	Caches  string   // the directory with those that the host has not got, or ""
	TempDir string   // a directory on disk for temporary files, or ""

	// Trust has the command trust the certificates of Bundle (PEM), which may not be
	// known yet where the plan is only looked at.
	Trust  bool
	Bundle []byte
}

// Plan is a run that is worked out.
type Plan interface {
	// Rules are the operations that enforce it, and what they come from.
	Rules() []Rule

	// Own is what the sandbox will have of its own.
	Own() Own

	// Start makes the sandbox and starts the command in it. After an error nothing
	// of the command ran.
	Start(Run) (Process, error)
}

// Own is what a sandbox has of its own.
type Own struct {
	TempDir   string
	Bundle    string   // the certificates to trust, "" for the system's
	ProxyPort int      // 0 is no proxy
	Ports     []uint16 // of its localhost, which the command cannot have
}

// Run is one start of a plan.
type Run struct {
	Args, Env []string
	Stdio     [3]*os.File // none is nil
	Withheld  []int       // descriptors that the command does not get
	Forward   []uint16    // ports of the sandbox's 127.0.0.1 to open doors at
	Trace     bool        // tell of refused reads too

	// Meanwhile is called while the sandbox is being made. The command starts after
	// it returned nil, and never after an error. owner tells who made a connection
	// to a door.
	Meanwhile func(owner func(net.Conn) (pid int, command string)) error

	Events Events
}

// Events is told what happens in a sandbox. No call of it holds up the command, but
// for Connecting.
type Events interface {
	// CommandEnded is for the moment at which the command has ended, and others of
	// the sandbox may not have.
	CommandEnded()

	// CommandStopped is told of a signal that stopped the command, which goes on
	// when it returns.
	CommandStopped(syscall.Signal)

	DeniedFile(FileDenial)

	// Missed is told of denials that came too fast to be told.
	Missed(denials int)

	// Connecting is asked before the command connects to an address that is not the
	// sandbox's own. With wait it returns when the connection is made outside, and an
	// error when it is not; without, an error when it may not be made.
	Connecting(ctx context.Context, to netip.AddrPort, pid int, command string, wait bool) error

	// Bound is for each Internet port that the command binds. It returns at once.
	Bound(port uint16)
}

// FileDenial is an act on a file that a sandbox refused.
type FileDenial struct {
	Operation string // "read", "write", "exec", or "unix-socket" for a connection to one
	Path      string // without symbolic links
	PID       int
	Command   string

	Reason string // where no rule of the policy is the reason
	Ruled  string // the path that the policy's rule is about: Path, or its directory
	Hidden bool   // because of what may not be read
	Secret bool   // and that is on the default list
	Fixed  bool   // no allow takes it back

	Rule      string        // with Reason: the rule in the policy's words
	Source    policy.Source // and where it came from
	Protected bool
	Grant     string // the path to allow, which exists, or ""
}

// Process is a running command with its sandbox.
type Process interface {
	Doors() Doors

	// Dial connects to a port of the sandbox's localhost, and Listening tells at
	// which the command listens.
	Dial(port uint16) (net.Conn, error)
	Listening() []uint16

	// Refused are the ports of the sandbox's localhost at which the command found
	// nobody.
	Refused() []uint16

	// Forward opens one more door at a port of the sandbox's 127.0.0.1.
	Forward(port uint16) error

	Signal(syscall.Signal) error
	Pause() error
	Held() bool // nothing has run since
	Resume() error
	HasGroup(group int) bool
	Kill() error

	// Wait returns once every process of the sandbox is gone.
	Wait() (syscall.WaitStatus, error)
}

// DoorKind is what comes in at a door.
type DoorKind int

// The kinds of doors.
const (
	DoorProxy       DoorKind = iota // HTTP and SOCKS
	DoorTransparent                 // TCP to any address
	DoorDNS
	DoorDNSTCP
	DoorForward // to a port of the host's localhost
)

// Door is where the sandbox's network comes out: a listener inside, accepted on
// outside.
type Door struct {
	Kind   DoorKind
	Port   uint16 // of a DoorForward
	Stream net.Listener
	Packet net.PacketConn // of a DoorDNS
}

// Doors are those of one sandbox. What comes before they are served waits.
type Doors interface {
	Serve(open func(Door)) error
	Called() bool  // somebody has come
	Waiting() bool // somebody has come and was not let in yet
	Close()
}

// Capabilities is what this build enforces here.
func Capabilities() policy.Capabilities { return hostBackend.Capabilities() }

// Doctor finds out what this host can enforce, by running the command true in
// a sandbox at full strength.
func Doctor() []Check { return hostBackend.Probe() }
