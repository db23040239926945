//go:build linux

package broker

import "golang.org/x/sys/unix"

// fileID tells a file from every other that is there at the time.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{st.Dev, st.Ino} }

// bornID tells a file from every other, one that gets its number later included,
// where the file system knows when a file was made.
type bornID struct {
	fileID
	born unix.StatxTimestamp
}

// bornIDAt identifies what a name in a directory is, links not followed, or with ""
// the directory or file itself.
func bornIDAt(dir int, name string) (id bornID, ok bool) {
	id, _, ok = identify(dir, name)
	return id, ok
}

// dirIDAt does the same for a directory alone.
func dirIDAt(dir int, name string) (id bornID, ok bool) {
	id, kind, ok := identify(dir, name)
	return id, ok && kind == unix.S_IFDIR
}

func identify(dir int, name string) (id bornID, kind uint16, ok bool) {
	var x unix.Statx_t
	const flags = unix.AT_EMPTY_PATH | unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	if unix.Statx(dir, name, flags, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_BTIME, &x) != nil {
		return id, 0, false
	}
	return bornID{fileID{unix.Mkdev(x.Dev_major, x.Dev_minor), x.Ino}, x.Btime}, x.Mode & unix.S_IFMT, true
}
