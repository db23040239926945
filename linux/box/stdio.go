//go:build linux

package box

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"srun/linux/internal/hostfs"
	"srun/linux/plan"
)

/*
#include "message.h"
#include "plan.h"
*/
import "C"

const (
	codeReopen  opCode = C.OP_REOPEN
	msgReopened        = C.MSG_REOPENED
)

// reopenedFile is a standard descriptor of a file that the command may not change.
// Its mode, times and attributes could be changed through any descriptor on a
// writable mount, so the command gets it anew, on a read-only one (stdio.c).
type reopenedFile struct {
	slot  int
	path  string
	id    plan.FileID
	ours  int   // the caller's description, with the position that others share
	start int64 // its position
	now   int   // the command's, or -1
}

// reopenedFiles are those of the standard descriptors.
type reopenedFiles []reopenedFile

// findReopened finds them. What was opened for writing stays as it is, for the caller
// gave that right; so does what the command may write by its name, what has
// none, and what is neither file nor device.
func findReopened(p *plan.Plan, stdio []*os.File) (reopenedFiles, error) {
	var all reopenedFiles
	for slot, f := range stdio {
		var st unix.Stat_t
		fd := int(f.Fd())
		if err := unix.Fstat(fd, &st); err != nil {
			return all, fmt.Errorf("inspect descriptor %d: %w", slot, err)
		}
		if !couldReopen(fd, &st) {
			continue
		}
		path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil {
			return all, fmt.Errorf("inspect descriptor %d: %w", slot, err)
		}
		if p.Writable(path) && isNamed(path, &st) {
			continue
		}
		l := reopenedFile{slot: slot, path: path, id: hostfs.Identity(&st), now: -1}
		l.start, _ = unix.Seek(fd, 0, unix.SEEK_CUR) // a device may have none
		if l.ours, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return all, os.NewSyscallError("fcntl", err)
		}
		all = append(all, l)
	}
	return all, nil
}

// memoryDevices is the major number of /dev/null and its like: to open one again
// has no effect, and all that a command could do to it is to change its mode.
const memoryDevices = 1

func couldReopen(fd int, st *unix.Stat_t) bool {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFBLK:
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		return st.Nlink > 0 && (err != nil || flags&unix.O_ACCMODE == unix.O_RDONLY)
	case unix.S_IFCHR:
		return unix.Major(st.Rdev) == memoryDevices && int(st.Uid) == os.Geteuid()
	}
	return false
}

// isNamed tells whether a path is of this very file.
func isNamed(path string, file *unix.Stat_t) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && hostfs.Identity(&st) == hostfs.Identity(file)
}

func (all reopenedFiles) encode(b []byte) []byte {
	for _, l := range all {
		b = appendOp(b, codeReopen, uint32(l.slot), l.id.Ino, l.id.Dev, l.path)
	}
	return b
}

// take keeps what the command got.
func (all reopenedFiles) take(slot, fd int) {
	for i := range all {
		if all[i].slot == slot {
			all[i].now = fd
			return
		}
	}
	unix.Close(fd)
}

// giveBack moves the caller's position to where the command left its own, once
// nothing runs any more: whoever reads on begins there.
func (all reopenedFiles) giveBack() {
	for _, l := range all {
		if l.now >= 0 {
			if at, err := unix.Seek(l.now, 0, unix.SEEK_CUR); err == nil && at != l.start {
				unix.Seek(l.ours, at, unix.SEEK_SET)
			}
			unix.Close(l.now)
		}
		unix.Close(l.ours)
	}
}
