//go:build linux

package broker

import (
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// mostScanned bounds what is looked at of a directory that is moved.
const mostScanned = 200_000

// scan looks through a directory that gets another path, for names that may not
// be there.
type scan struct {
	*call
	to        string          // the new path
	toDir     int             // the directory that it comes to
	parentOld bool            // protected names count in the directory that it comes to
	old       map[string]bool // directories that take an old one's place, by path
	was       map[string]bool // of them, those that are old themselves
	home      bool            // an old directory gets the name that it had
	replaced  int             // the old directory that is at the new path now, or -1
	left      int
}

var (
	tooLarge      = Why{Reason: "more is in the directory than can be looked through"}
	amongPackages = Why{Reason: "a directory that was there does not go among packages, where protected names do not count", Protected: true}

	unseen = Why{Reason: "what is in the directory cannot be looked at"}
)

// judgeMoved judges what a directory brings to the place that it is moved to.
func (c *call) judgeMoved(from spot, fromDir string, to spot, toDir string) *Why {
	p := pathtree.Join(c.spelled(to.dir, toDir, to.last()))
	if c.rules.own(p) {
		return nil
	}
	s := scan{call: c, to: p, toDir: to.dir, parentOld: c.isOld(to.dir), replaced: -1, old: map[string]bool{}, was: map[string]bool{}, left: mostScanned}
	id, known := dirIDAt(from.dir, from.last())
	if known && c.ages.goesAmongPackages(id, pathtree.Join(fromDir, from.last()), p) {
		return &amongPackages
	}
	taken := s.takesPlace(from, to, p)
	if home, alone := c.ages.comesHome(id, p); known && home && s.replaced < 0 {
		s.home, taken = true, taken && !alone
	}
	repository := path.Base(p) == ".git"
	if !repository && !taken && !c.rules.leads(p) && !(s.parentOld && c.rules.leadsToName(path.Base(p))) {
		return nil
	}
	fd, err := openDir(from.dir, from.last())
	if err != nil {
		return &unseen
	}
	c.keep(fd)
	if repository {
		if why := c.judgeRepository(fd, p); why != nil {
			return why
		}
	}
	return s.directory(fd, p, taken)
}

// takesPlace tells whether a directory takes the place of an old one: of one that
// is gone, or of one that goes with this very act.
func (s *scan) takesPlace(from, to spot, p string) bool {
	there, ok := dirIDAt(to.dir, to.last())
	moved, known := dirIDAt(from.dir, from.last())
	if ok && !s.ages.isNew(there) && !(known && moved == there) {
		fd, err := pathDir(to.dir, to.last())
		if err != nil {
			return true
		}
		s.replaced = s.keep(fd)
		return true
	}
	return s.ages.tookPlace(p)
}

// hadPlace tells whether an old directory was at a path at or below the new one.
func (s *scan) hadPlace(p string) bool {
	rest, below := strings.CutPrefix(p, s.to+"/")
	return s.ages.tookPlace(p) || s.replaced >= 0 && below && s.ages.hadIn(s.replaced, rest)
}

// directory looks at one directory as if it lay at a path; old tells that it
// takes the place of one that was there, and counts as that from now on.
func (s *scan) directory(fd int, at string, old bool) *Why {
	entries, err := list(fd)
	if err != nil {
		return &unseen
	}
	if old {
		if why := s.judgeTaken(fd, at); why != nil {
			return why
		}
	}
	id, known := dirIDAt(fd, "")
	// In a directory that was there itself, names were judged as they were made.
	s.old[at] = old
	s.was[at] = old && known && !s.ages.isNew(id)
	for _, e := range entries {
		if s.left--; s.left < 0 {
			return &tooLarge
		}
		p := pathtree.Join(s.spelled(fd, at, e.name))
		if why := s.name(fd, e.name, p); why != nil {
			return why
		}
		if e.kind == unix.S_IFLNK && !s.was[at] {
			if old && s.hadPlace(p) {
				return &Why{Reason: "a link in the place of a directory that was there", Protected: true}
			}
			if s.rules.leadsThrough(p) || old && s.rules.leadsToName(e.name) {
				return &leadingLink
			}
		}
		if e.kind != unix.S_IFDIR {
			continue
		}
		if why := s.below(fd, e.name, p, old); why != nil {
			return why
		}
	}
	if old {
		s.ages.old(id)
	}
	return nil
}

func (s *scan) name(dir int, name, p string) *Why {
	if why := s.rules.reserved(p); why != nil {
		return why
	}
	for _, found := range s.rules.protected(p) {
		if s.old[found.holder] && !(s.was[found.holder] && (s.home || s.wasThere(dir, name))) || found.holder == path.Dir(s.to) && s.parentOld {
			return &Why{Reason: protectedPath, Rule: found.Reason, Protected: true}
		}
	}
	return nil
}

// wasThere tells whether a name in an old directory is as old as the run. Another
// run, for which that directory is new, may have made it since.
func (s *scan) wasThere(dir int, name string) bool {
	var st unix.Statx_t
	err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	born := time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
	return err == nil && st.Mask&unix.STATX_BTIME != 0 && born.Before(s.began)
}

func (s *scan) below(fd int, name, p string, old bool) *Why {
	old = old && s.hadPlace(p)
	if !old && !s.rules.leads(p) && !(s.old[path.Dir(p)] && s.rules.leadsToName(path.Base(p))) {
		return nil
	}
	sub, err := openDir(fd, name)
	if err != nil {
		return &unseen
	}
	defer unix.Close(sub)
	return s.directory(sub, p, old)
}

// openDir opens a directory to be read. One that is closed to its owner, as the
// command's own can be, cannot be looked at.
func openDir(dir int, name string) (int, error) {
	return unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: noLinks})
}

// entry is one name in a directory.
type entry struct {
	name  string
	kind  uint32 // S_IFMT of its mode
	links uint64
}

// list returns what is in a directory, mostScanned at most.
func list(fd int) ([]entry, error) {
	again, err := unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(again), "directory")
	defer f.Close()
	names, err := f.Readdirnames(mostScanned + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	entries := make([]entry, 0, len(names))
	for _, name := range names {
		var st unix.Stat_t
		if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			entries = append(entries, entry{name, st.Mode & unix.S_IFMT, uint64(st.Nlink)})
		}
	}
	return entries, nil
}
