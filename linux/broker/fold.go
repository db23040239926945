//go:build linux

package broker

import (
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// On a file system that takes .ENVRC for .envrc, a name is judged in the rules'
// own spelling. What is done is done by the name as it was given.

// spellings are the components of rules, by how they fold.
type spellings struct {
	exact map[string]string
	wild  []string // folded, with a "*"
}

func newSpellings(parts map[string]bool, wild []string) spellings {
	s := spellings{exact: map[string]string{}}
	for part := range parts {
		s.exact[strings.ToLower(part)] = part
	}
	for _, pattern := range wild {
		s.wild = append(s.wild, strings.ToLower(pattern))
	}
	return s
}

// of returns a component in a rule's spelling, if it is one in another.
func (s *spellings) of(component string) string {
	folded := strings.ToLower(component)
	if part, ok := s.exact[folded]; ok {
		return part
	}
	if folded == component {
		return component
	}
	for _, pattern := range s.wild {
		if pathtree.MatchComponent(pattern, folded) {
			return folded
		}
	}
	return component
}

// spelled returns a directory's path and a name in it as the rules spell them,
// where its file system folds case.
func (c *call) spelled(dir int, dirPath, name string) (string, string) {
	spellings := &c.rules.spellings
	to := spellings.of(name)
	same := to == name
	for part := range strings.SplitSeq(dirPath, "/") {
		same = same && spellings.of(part) == part
	}
	if same || !folds(dir) {
		return dirPath, name
	}
	parts := strings.Split(dirPath, "/")
	for i, part := range parts {
		parts[i] = spellings.of(part)
	}
	return strings.Join(parts, "/"), to
}

// Magic numbers of file systems (statfs(2)) and the flag of a directory that folds
// case on those that have it for each (ioctl_iflags(2)).
const (
	f2fsMagic    = 0xF2F52010
	casefoldFlag = 0x40000000
)

// folds tells whether a directory takes names for each other that differ in case.
// One that cannot be told of does: nothing is lost by that but such a name.
func folds(dir int) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(dir, &fs) != nil {
		return true
	}
	switch fs.Type {
	case unix.BTRFS_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.RAMFS_MAGIC,
		unix.PROC_SUPER_MAGIC, unix.DEVPTS_SUPER_MAGIC:
		return false
	case unix.EXT4_SUPER_MAGIC, f2fsMagic, unix.TMPFS_MAGIC:
		fd, err := openDir(dir, ".")
		if err != nil {
			return true
		}
		defer unix.Close(fd)
		flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
		return err == nil && flags&casefoldFlag != 0
	}
	return true
}
