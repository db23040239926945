//go:build linux

package box

import (
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"

	"srun/linux/internal/hostfs"
	"srun/linux/plan"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

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
func ruleset(p *plan.Plan, stdio []*os.File) (int, error) {
	attr := ll.RulesetAttr{HandledAccessFS: uint64(p.Handled)}
	if p.Scoped {
		attr.Scoped = ll.ScopeAbstractUnixSocket | ll.ScopeSignal
	}
	set, err := ll.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return -1, &plan.Error{Protection: "landlock", What: "create a ruleset", Err: err}
	}
	for _, r := range p.Landlock {
		if r.Inside {
			continue
		}
		if err := addHostRule(set, r); err != nil {
			unix.Close(set)
			return -1, &plan.Error{Protection: "landlock", What: "rule for " + r.Path, Err: err}
		}
	}
	return set, addStdio(set, stdio, p.Handled)
}

func addHostRule(set int, r plan.LandlockRule) error {
	fd, err := unix.Open(r.Path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if r.ID != (plan.FileID{}) && r.ID != hostfs.Identity(&st) {
		return unix.ESTALE
	}
	return addRule(set, fd, r.Rights)
}

func addRule(set, fd int, rights landlock.AccessFSSet) error {
	attr := ll.PathBeneathAttr{AllowedAccess: uint64(rights), ParentFd: fd}
	return ll.LandlockAddPathBeneathRule(set, &attr, 0)
}

// addStdio lets the command open again what it was given as standard input,
// output and error (/dev/stderr, /dev/tty's device): the caller's redirection
// allowed that much already.
func addStdio(set int, stdio []*os.File, handled landlock.AccessFSSet) error {
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
		rights := plan.FileRights
		if flags&unix.O_ACCMODE == unix.O_RDONLY {
			rights = ll.AccessFSIoctlDev
		}
		if rights &= handled; rights == 0 {
			continue
		}
		if err := addRule(set, int(f.Fd()), rights); err != nil && err != unix.EBADFD {
			return &plan.Error{Protection: "landlock", What: "rule for " + f.Name(), Err: err}
		}
	}
	return nil
}
