package plan

import (
	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"srun/policy/pathtree"
)

// Rights of Landlock rules. A file takes the subset that is about files. None
// is about reading: Landlock can only add to what may be read, and srun's rules
// take away from it, which mounts do. To allow all reads from the root down
// would change nothing and make each open walk up to it.
const (
	FileRights landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSIoctlDev

	writeRights landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSRemoveDir |
		ll.AccessFSRemoveFile | ll.AccessFSMakeChar | ll.AccessFSMakeDir | ll.AccessFSMakeReg |
		ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeBlock | ll.AccessFSMakeSym |
		ll.AccessFSRefer | ll.AccessFSTruncate

	deviceRights = FileRights
)

// handledRights is what an ABI version can restrict (landlock(7), "ABI
// versions"), but for reading.
func handledRights(abi int) landlock.AccessFSSet {
	const read = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSReadDir
	all := landlock.AccessFSSet(1<<13 - 1)
	switch {
	case abi >= 5:
		all = 1<<16 - 1
	case abi >= 3:
		all = 1<<15 - 1
	case abi == 2:
		all = 1<<14 - 1
	}
	return all &^ read
}

// scopedABI is the first version that keeps signals and abstract Unix sockets
// inside.
const scopedABI = 6

// LandlockRule grants rights at and below a path.
type LandlockRule struct {
	Path   string
	Rights landlock.AccessFSSet
	Inside bool // a mount of init's own
	ID     FileID
}

// landlockRules is the second layer: write below the writable roots. What a
// root's inner denials take away, only mounts can say.
func (p *Plan) landlockRules() []LandlockRule {
	var rules []LandlockRule
	for _, n := range p.nodes {
		if !n.AllowWrite || n.Access() != pathtree.ReadWrite || n.Own.layer != nil {
			continue
		}
		rights := writeRights
		if !n.Own.dir {
			rights &= FileRights
		}
		rules = append(rules, LandlockRule{Path: n.Path, Rights: rights & p.Handled, ID: n.Own.id})
	}
	return append(rules, p.insideRules()...)
}

func (p *Plan) insideRules() []LandlockRule {
	rules := []LandlockRule{{Path: "/dev", Rights: deviceRights & p.Handled, Inside: true}}
	for _, own := range p.ownWritable() {
		rules = append(rules, LandlockRule{Path: own, Rights: (writeRights | deviceRights) & p.Handled, Inside: true})
	}
	return rules
}
