//go:build linux

package broker

import "golang.org/x/sys/unix"

// validFlags are those of open(2) that the kernel knows (VALID_OPEN_FLAGS in
// include/linux/fcntl.h); it passes over all others, and openat2(2) does not.
const validFlags = unix.O_ACCMODE | unix.O_CREAT | unix.O_EXCL | unix.O_NOCTTY | unix.O_TRUNC | unix.O_APPEND |
	unix.O_NONBLOCK | unix.O_SYNC | unix.O_DSYNC | unix.O_ASYNC | unix.O_DIRECT | unix.O_LARGEFILE | unix.O_DIRECTORY |
	unix.O_NOFOLLOW | unix.O_NOATIME | unix.O_CLOEXEC | unix.O_PATH | tmpFile

// tmpFile is the bit of O_TMPFILE that is its own.
const tmpFile = unix.O_TMPFILE &^ unix.O_DIRECTORY

// openArgs are what an open asks for.
type openArgs struct {
	flags int
	mode  uint32
	hops  int
}

func (o *openArgs) creates() bool   { return o.flags&unix.O_CREAT != 0 }
func (o *openArgs) exclusive() bool { return o.creates() && o.flags&unix.O_EXCL != 0 }
func (o *openArgs) follows() bool   { return o.flags&unix.O_NOFOLLOW == 0 && !o.exclusive() }
func (o *openArgs) tmpfile() bool   { return o.flags&tmpFile != 0 }
func (o *openArgs) writes() bool    { return o.flags&(unix.O_ACCMODE|unix.O_TRUNC) != 0 || o.tmpfile() }

// check has the kernel look at flags that not all kernels take together, before
// anything else as it does itself.
func (o *openArgs) check() unix.Errno {
	if !o.tmpfile() && o.flags&(unix.O_CREAT|unix.O_DIRECTORY) != unix.O_CREAT|unix.O_DIRECTORY {
		return 0
	}
	_, err := unix.Openat2(-1, "x", &unix.OpenHow{Flags: uint64(o.flags), Mode: uint64(o.mode)})
	if err == unix.EINVAL {
		return unix.EINVAL
	}
	return 0
}
