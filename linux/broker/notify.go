//go:build linux

package broker

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is struct seccomp_notif (linux/seccomp.h).
type notification struct {
	id    uint64
	pid   uint32 // the calling thread, in srun's PID namespace
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	val   int64
	errno int32 // negative
	flags uint32
}

// addFD is struct seccomp_notif_addfd.
type addFD struct {
	id         uint64
	flags      uint32
	src        uint32
	newFD      uint32
	newFDFlags uint32
}

// The requests of seccomp_unotify(2) for the structures above.
const (
	notifRecv     = 0xc0502100
	notifSend     = 0xc0182101
	notifIDValid  = 0x40082102
	notifAddFD    = 0x40182103
	notifSetFlags = 0x40082104

	respContinue = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	syncWakeUp   = 1 // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6
)

// ioctl does not block with any of these requests once a call waits, nor looks at
// memory of the caller's, so the runtime need not hear of it.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) (int, unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return int(r), errno
}

// receive takes the next call; ENOENT is that its caller was killed meanwhile.
func receive(fd int, n *notification) unix.Errno {
	*n = notification{}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), notifRecv, uintptr(unsafe.Pointer(n)))
	return errno
}

// answer ends a call with a value or an errno. ENOENT is that nobody waits.
func answer(fd int, id uint64, val int64, errno unix.Errno) unix.Errno {
	r := response{id: id, val: val, errno: -int32(errno)}
	_, failed := ioctl(fd, notifSend, unsafe.Pointer(&r))
	return failed
}

// letContinue has the kernel do the call. Only for one whose arguments carry no
// policy.
func letContinue(fd int, id uint64) {
	r := response{id: id, flags: respContinue}
	ioctl(fd, notifSend, unsafe.Pointer(&r))
}

// handIn gives the caller a descriptor as the result of its call, and closes
// it here. An error is the caller's (EMFILE), or ENOENT when nobody waits.
//
// The caller goes on only when srun has the file open no more: who closes a
// program that it wrote may run it, and who closes a pipe is heard. So this does
// not answer in one step (SECCOMP_ADDFD_FLAG_SEND), and a signal can come
// between the two, which restarts deals with.
func (c *call) handIn(src int, closeOnExec bool) unix.Errno {
	a := addFD{id: c.note.id, src: uint32(src)}
	if closeOnExec {
		a.newFDFlags = unix.O_CLOEXEC
	}
	var st unix.Stat_t
	unix.Fstat(src, &st)
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c.notify), notifAddFD, uintptr(unsafe.Pointer(&a)))
	if errno == unix.ESRCH { // it left as the descriptor was on its way
		errno = unix.ENOENT
	}
	if errno == unix.ENOENT && c.creates && st.Mode&unix.S_IFMT == unix.S_IFREG {
		c.notDelivered(lost{file: src})
		return errno
	}
	unix.Close(src)
	if errno == 0 {
		if errno = answer(c.notify, c.note.id, int64(r), 0); errno == unix.ENOENT {
			c.notDelivered(lost{val: int64(r), file: -1, handed: idOf(&st)})
		}
	}
	return errno
}

// waits tells whether the caller still waits for its answer: only then is it
// sure that what was read of its number was its own.
func waits(fd int, id uint64) bool {
	_, errno := ioctl(fd, notifIDValid, unsafe.Pointer(&id))
	return errno == 0
}
