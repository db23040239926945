//go:build linux

package broker

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is one stopped call while it is dealt with.
type call struct {
	*worker
	note  notification
	abi   *abi
	what  kind
	known bool  // its task's directory was of use: it is the caller's
	kept  []int // descriptors that are closed at its end

	read    []memory // the caller's, where it may make the call again
	creates bool     // it opens a file that was perhaps not there
}

func (c *call) tid() int { return int(c.note.pid) }

// keep has a descriptor closed at the call's end.
func (c *call) keep(fd int) int {
	c.kept = append(c.kept, fd)
	return fd
}

func (c *call) closeKept() {
	for _, fd := range c.kept {
		unix.Close(fd)
	}
	c.kept = c.kept[:0]
}

func (c *call) arg(i int) uint64 { return c.note.args[i] }

// intArg is an argument of C's type int.
func (c *call) intArg(i int) int32 { return int32(uint32(c.note.args[i])) }

// proc is a path below the caller's directory in srun's /proc.
func (c *call) proc(name string) string {
	return "/proc/" + strconv.Itoa(c.tid()) + "/" + name
}

// readError is what the caller gets when srun may not look at it: a program
// that may be run and not read is not dumpable (proc_pid_fd(5)).
func readError(err error) unix.Errno {
	if err == unix.EACCES {
		return unix.EPERM
	}
	return errnoOf(err)
}

// str copies a string of the caller's of less than PATH_MAX bytes.
func (c *call) str(at uint64) (string, unix.Errno) {
	const page = 4096
	if at == 0 {
		return "", unix.EFAULT
	}
	got := 0
	for got < len(c.buf) {
		// Up to the page's end: what lies behind it may not be mapped.
		part := c.buf[got:min(len(c.buf), got+page-int((at+uint64(got))%page))]
		n, errno := readMemory(c.tid(), at+uint64(got), part)
		if end := bytes.IndexByte(part[:n], 0); end >= 0 {
			c.wasRead(at, c.buf[:got+end+1])
			return string(c.buf[:got+end]), 0
		}
		if errno != 0 {
			return "", errno
		}
		got += n
	}
	return "", unix.ENAMETOOLONG
}

// readMemory copies from another process's memory as far as it is there.
func readMemory(pid int, at uint64, into []byte) (int, unix.Errno) {
	local := unix.Iovec{Base: &into[0], Len: uint64(len(into))}
	remote := unix.RemoteIovec{Base: uintptr(at), Len: len(into)}
	n, _, errno := unix.Syscall6(unix.SYS_PROCESS_VM_READV, uintptr(pid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	switch {
	case errno == unix.ESRCH:
		return 0, unix.EINTR // it is gone, and nobody gets to see this
	case errno != 0:
		return 0, errno
	case int(n) < len(into):
		return int(n), unix.EFAULT
	}
	return int(n), 0
}

// writeMemory writes to another process's memory.
func writeMemory(pid int, at uint64, data []byte) unix.Errno {
	if len(data) == 0 {
		return 0
	}
	local := []unix.Iovec{{Base: &data[0], Len: uint64(len(data))}}
	n, err := unix.ProcessVMWritev(pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(data)}}, 0)
	if err != nil || n != len(data) {
		return unix.EFAULT
	}
	return 0
}

// at opens where a path of the caller's begins. Only a path that is not
// absolute needs the descriptor.
func (c *call) at(dirfd int32, path string) (int, unix.Errno) {
	if strings.HasPrefix(path, "/") {
		return c.root()
	}
	name := "cwd"
	if dirfd != unix.AT_FDCWD {
		if dirfd < 0 {
			return -1, unix.EBADF
		}
		name = "fd/" + strconv.Itoa(int(dirfd))
	}
	flags := unix.O_PATH | unix.O_CLOEXEC
	if path != "" {
		flags |= unix.O_DIRECTORY
	}
	fd, err := c.inTask(name, flags)
	switch {
	case err == nil:
		return c.keep(fd), 0
	case err == unix.ENOENT && dirfd != unix.AT_FDCWD:
		return -1, unix.EBADF
	}
	return -1, readError(err)
}

// root is the root that every process of the sandbox has: chroot(2) and mounts
// are refused. It is taken from the first caller and kept.
func (c *call) root() (int, unix.Errno) {
	c.rootOnce.Lock()
	defer c.rootOnce.Unlock()
	if c.rootFD >= 0 {
		return c.rootFD, 0
	}
	fd, err := unix.Open(c.proc("root"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, readError(err)
	}
	if !waits(c.notify, c.note.id) {
		unix.Close(fd)
		return -1, unix.EINTR
	}
	c.rootFD = fd
	return fd, 0
}

// status is a field of /proc/TID/status (proc_pid_status(5)): its last word,
// for NSpid the number in the innermost namespace.
func (c *call) status(fields ...string) (values [4]string, errno unix.Errno) {
	fd, err := unix.Open(c.proc("status"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return values, readError(err)
	}
	n, err := unix.Read(fd, c.buf)
	unix.Close(fd)
	if err != nil {
		return values, readError(err)
	}
	for line := range bytes.Lines(c.buf[:n]) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		for i, field := range fields {
			if string(name) == field {
				words := bytes.Fields(value)
				if len(words) > 0 {
					values[i] = string(words[len(words)-1])
				}
			}
		}
	}
	return values, 0
}

// innerIDs are the caller's process and thread number inside.
func (c *call) innerIDs() (tgid, tid string, errno unix.Errno) {
	values, errno := c.status("NStgid", "NSpid")
	return values[0], values[1], errno
}

// restartSys is ERESTARTSYS: the kernel makes of it EINTR, or does the call once
// more, as the signal's handler wants (signal(7)).
const restartSys = unix.Errno(512)

// signalled tells whether a handler of the caller's waits to be run: a call that
// blocks is then answered with the result. A signal to a process of several
// threads could have been taken by another one meanwhile, and then nobody would
// make anything of restartSys.
func (c *call) signalled() unix.Errno {
	fd, err := unix.Open(c.proc("status"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	n, _ := unix.Read(fd, c.buf)
	unix.Close(fd)
	set := map[string]uint64{}
	for line := range bytes.Lines(c.buf[:max(n, 0)]) {
		if name, value, ok := strings.Cut(string(line), ":"); ok {
			set[name], _ = strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	handled := set["SigCgt"] &^ set["SigBlk"]
	switch {
	case set["SigPnd"]&handled != 0, set["ShdPnd"]&handled != 0 && set["Threads"] == 1:
		return restartSys
	case set["ShdPnd"]&handled != 0:
		return unix.EINTR
	}
	return 0
}

func errnoOf(err error) unix.Errno {
	switch e := err.(type) {
	case nil:
		return 0
	case unix.Errno:
		return e
	}
	return unix.EPERM
}
