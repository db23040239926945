package plan

import (
	"github.com/landlock-lsm/go-landlock/landlock"

	"srun/policy/pathtree"
)

// Plan is everything that init does between a policy and the command, in
// order. It is what --explain prints and what is applied.
type Plan struct {
	Mounts      []Op
	Landlock    []LandlockRule
	LandlockABI int                  // 0: without it
	Handled     landlock.AccessFSSet // what its rules are about
	Scoped      bool                 // signals and abstract Unix sockets stay inside
	Missing     []MissingPath        // denied paths that do not exist yet

	Dir   string // the working directory
	DirID FileID // that it must have, or zero
	nodes nodes  // what holds where

	// Private are directories of the host's in whose place the command has its own:
	// each a tmpfs of the sandbox's mount namespace, so nothing of it is left however
	// the run ends. TempDir is where temporary files go.
	Private []string
	TempDir string
	Layers  []string // the same, over what the host has
	caches  []string // CachesDir, where there is one

	HostNetwork bool // no network namespace

	UnixSockets    []UnixSocket // the host's, that may be connected to
	AllUnixSockets bool

	Masked   []Masked          // what is hidden, also when the host replaces it
	Unmoved  map[string]string // paths that cannot be moved, by why
	Reopened []string          // hidden directories with something to be seen: other names are absent there
	Rules    Rules             // what the broker holds
}

// index takes from the mounts what others than init ask about.
func (p *Plan) index() {
	p.Unmoved = map[string]string{}
	for _, op := range p.Mounts {
		switch {
		case op.Kind == OpPin:
			p.Unmoved[op.Path] = "holds a protected path"
		case op.Kind == OpPinLink:
			p.Unmoved[op.Path] = "leads to a protected path"
		case op.Kind == OpMask && op.Slot != 0:
			p.Reopened = append(p.Reopened, op.Path)
		}
		if op.Kind == OpMask || op.StandIn { // a stand-in's next version is hidden
			p.Masked = append(p.Masked, Masked{op.Path, op.IfThere != ""})
		}
	}
}

// State tells what holds at a path of the host's.
func (p *Plan) State(path string) pathtree.State { return p.nodes.At(path).State }

// HiddenByDefault tells whether a path is hidden by the default list alone.
func (p *Plan) HiddenByDefault(path string) bool { return p.nodes.At(path).HiddenByDefault() }

// Writable tells whether the command may write at a path of the host's.
func (p *Plan) Writable(path string) bool {
	return !p.Own(path) && p.State(path).Access() == pathtree.ReadWrite
}

// Masked is a hidden path. In a layer a link of the command's own may be in its place,
// and what the host has there is hidden by that.
type Masked struct {
	Path    string
	Layered bool
}

// UnixSocket is a socket of the host's that may be connected to.
type UnixSocket struct {
	Path string

	// Now is where it leads where the command could put another in its place, in a
	// directory that it may write or behind a link in one: there the file that is
	// there now is meant. Else it is "".
	Now string
}
