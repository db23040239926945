//go:build linux

package linux

import (
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Rights of Landlock rules. A file takes the subset that is about files. None
// is about reading: Landlock can only add to what may be read, and srun's rules
// take away from it, which mounts do. To allow all reads from the root down
// would change nothing and make each open walk up to it.
const (
	fileRights landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSIoctlDev

	writeRights landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSRemoveDir |
		ll.AccessFSRemoveFile | ll.AccessFSMakeChar | ll.AccessFSMakeDir | ll.AccessFSMakeReg |
		ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeBlock | ll.AccessFSMakeSym |
		ll.AccessFSRefer | ll.AccessFSTruncate

	deviceRights = fileRights
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

// LandlockABI returns the kernel's Landlock version, 0 where it has none.
func LandlockABI() int {
	v, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return v
}

// ruleset makes the Landlock ruleset of a plan with the rules for the host's
// paths; init adds those for its own mounts. Rules hold inodes, not mounts:
// they mean the same in srun's mount namespace and in the sandbox's.
func ruleset(p *Plan, stdio []*os.File) (int, error) {
	attr := ll.RulesetAttr{HandledAccessFS: uint64(handledRights(p.LandlockABI))}
	if p.LandlockABI >= scopedABI {
		attr.Scoped = ll.ScopeAbstractUnixSocket | ll.ScopeSignal
	}
	set, err := ll.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return -1, &Error{Protection: "landlock", What: "create a ruleset", Err: err}
	}
	for _, r := range p.Landlock {
		if r.Inside {
			continue
		}
		if err := addHostRule(set, r, p.LandlockABI); err != nil {
			unix.Close(set)
			return -1, &Error{Protection: "landlock", What: "rule for " + r.Path, Err: err}
		}
	}
	return set, addStdio(set, stdio, p.LandlockABI)
}

func addHostRule(set int, r LandlockRule, abi int) error {
	fd, err := unix.Open(r.Path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if r.id != (fileID{}) && r.id != identity(&st) {
		return unix.ESTALE
	}
	return addRule(set, fd, r.Rights&handledRights(abi))
}

func addRule(set, fd int, rights landlock.AccessFSSet) error {
	attr := ll.PathBeneathAttr{AllowedAccess: uint64(rights), ParentFd: fd}
	return ll.LandlockAddPathBeneathRule(set, &attr, 0)
}

// addStdio lets the command open again what it was given as standard input,
// output and error (/dev/stderr, /dev/tty's device): the caller's redirection
// allowed that much already.
func addStdio(set int, stdio []*os.File, abi int) error {
	for _, f := range stdio {
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return fmt.Errorf("inspect %s: %w", f.Name(), err)
		}
		if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFCHR {
			continue
		}
		flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
		if err != nil {
			return fmt.Errorf("inspect %s: %w", f.Name(), err)
		}
		rights := fileRights
		if flags&unix.O_ACCMODE == unix.O_RDONLY {
			rights = ll.AccessFSIoctlDev
		}
		if rights &= handledRights(abi); rights == 0 {
			continue
		}
		if err := addRule(set, int(f.Fd()), rights); err != nil && err != unix.EBADFD {
			return &Error{Protection: "landlock", What: "rule for " + f.Name(), Err: err}
		}
	}
	return nil
}
