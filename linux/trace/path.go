//go:build linux

package trace

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/internal/hostfs"
	"srun/linux/internal/procfs"
	"srun/linux/plan"
	"srun/policy/pathtree"
)

// locate finds where the path of an act leads, with srun's eyes: outside the
// sandbox what is hidden inside can be seen, and the names are the same but
// below /proc and /dev. false is that srun cannot look either, or that the
// path has no name.
func (a *act) locate() (plan.Place, bool) {
	full, ok := a.absolute()
	if !ok {
		return plan.Place{}, false
	}
	full = strings.TrimRight(full, "/")
	if full == "" {
		full = "/"
	}
	dir, name := filepath.Split(full)
	if a.follow || name == "" || name == "." || name == ".." {
		p, err := plan.Walk(full, a.lstat)
		return p, err == nil && p.Path != ""
	}
	p, err := plan.Walk(dir, a.lstat)
	if err != nil || p.Missing || p.Path == "" {
		return plan.Place{}, false
	}
	p.Path = filepath.Join(p.Path, name)
	_, p.Dir, err = a.lstat(p.Path)
	p.Missing = plan.Absent(err)
	return p, err == nil || p.Missing
}

// absolute is the path from the root on, its links not followed.
func (a *act) absolute() (string, bool) {
	if filepath.IsAbs(a.path) {
		return a.path, true
	}
	base := fmt.Sprintf("/proc/%d/cwd", a.pid)
	if a.dir != unix.AT_FDCWD {
		base = fmt.Sprintf("/proc/%d/fd/%d", a.pid, a.dir)
	}
	dir, err := os.Readlink(base)
	if err != nil || !filepath.IsAbs(dir) || strings.HasSuffix(dir, " (deleted)") {
		return "", false
	}
	return dir + "/" + a.path, true
}

// lstat is [lstat] but that /proc/self is the caller's. Other processes' have
// numbers of their own inside and are not looked up.
func (a *act) lstat(path string) (target string, dir bool, err error) {
	rest, proc := strings.CutPrefix(path, "/proc/")
	switch number, err := strconv.Atoi(rest); {
	case !proc:
	case rest == "self":
		return fmt.Sprintf("/proc/%d", procfs.Leader(a.pid)), false, nil
	case rest == "thread-self":
		return fmt.Sprintf("/proc/%d/task/%d", procfs.Leader(a.pid), a.pid), false, nil
	case err == nil && number != procfs.Leader(a.pid):
		return "", false, unix.ENOENT
	}
	return hostfs.Lstat(path)
}

// shown is a path as the process calls it.
func (a *act) shown(path string) string {
	if rest, ok := strings.CutPrefix(path, fmt.Sprintf("/proc/%d/", procfs.Leader(a.pid))); ok {
		return "/proc/self/" + rest
	}
	return path
}

// failsAnyway tells whether a call fails without a sandbox as well. The kernel
// looks at mounts before it looks at most of this.
func failsAnyway(name string, call *syscallInfo, acts []act, places []plan.Place, errno unix.Errno) bool {
	for i := range acts {
		a, p := &acts[i], places[i]
		if last := filepath.Base("/" + a.path); a.kind.names() && (last == "." || last == "..") || !a.hostAllows(p) {
			return true
		}
	}
	switch name {
	case "rmdir":
		return !places[0].Dir || !isEmpty(places[0].Path)
	case "unlink":
		return places[0].Dir
	case "unlinkat":
		directory := call.args[2]&unix.AT_REMOVEDIR != 0
		return places[0].Dir != directory || directory && !isEmpty(places[0].Path)
	case "rename", "renameat", "renameat2", "link", "linkat":
		return len(places) < 2 || pairFails(name, call, places[0], places[1], errno)
	}
	return errno == unix.EXDEV
}

func pairFails(name string, call *syscallInfo, from, to plan.Place, errno unix.Errno) bool {
	linked := strings.HasPrefix(name, "link")
	noReplace := name == "renameat2" && call.args[4]&unix.RENAME_NOREPLACE != 0
	exchange := name == "renameat2" && call.args[4]&unix.RENAME_EXCHANGE != 0
	switch {
	case errno == unix.EXDEV && !sameMount(filepath.Dir(from.Path), filepath.Dir(to.Path)):
		return true
	case linked:
		return from.Dir
	case to.Missing:
		return exchange || from.Dir && pathtree.Contains(from.Path, to.Path)
	case exchange:
		return false
	}
	return noReplace || from.Dir != to.Dir || to.Dir && !isEmpty(to.Path)
}

func isEmpty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	names, _ := f.Readdirnames(1)
	return len(names) == 0
}

// hostAllows tells whether srun's user could have done it without a sandbox.
// What the file system itself refuses is no denial of srun's.
func (a *act) hostAllows(p plan.Place) bool {
	parent := filepath.Dir(p.Path)
	switch a.kind {
	case lookAct:
		return !p.Missing
	case readAct, writeAct:
		return !p.Missing && mayAccess(p.Path, a.mode) && (a.kind != writeAct || !p.Dir || a.mode&unix.X_OK != 0)
	case execAct:
		return !p.Missing && mayAccess(p.Path, unix.X_OK)
	case makeAct:
		return p.Missing && mayAccess(parent, unix.W_OK|unix.X_OK)
	case removeAct:
		return !p.Missing && mayRemove(parent, p.Path)
	case replaceAct:
		return mayAccess(parent, unix.W_OK|unix.X_OK) && (p.Missing || mayRemove(parent, p.Path))
	case linkAct:
		return !p.Missing && (owns(p.Path) || mayAccess(p.Path, unix.R_OK|unix.W_OK))
	case touchAct:
		return !p.Missing && (owns(p.Path) || mayAccess(p.Path, unix.W_OK))
	default:
		return !p.Missing && owns(p.Path) && !readOnlyFS(p.Path)
	}
}

func mayAccess(path string, mode uint32) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS) == nil
}

func mayRemove(dir, path string) bool {
	var st unix.Stat_t
	if !mayAccess(dir, unix.W_OK|unix.X_OK) || unix.Stat(dir, &st) != nil {
		return false
	}
	return st.Mode&unix.S_ISVTX == 0 || owns(dir) || owns(path)
}

func owns(path string) bool {
	var st unix.Stat_t
	euid := unix.Geteuid()
	return unix.Lstat(path, &st) == nil && (euid == 0 || int(st.Uid) == euid)
}

func readOnlyFS(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) != nil || st.Flags&unix.ST_RDONLY != 0
}

// sameMount tells whether a name could move from one directory to the other.
func sameMount(a, b string) bool {
	var one, two unix.Statx_t
	const mask = unix.STATX_MNT_ID
	return unix.Statx(unix.AT_FDCWD, a, 0, mask, &one) == nil && unix.Statx(unix.AT_FDCWD, b, 0, mask, &two) == nil &&
		one.Mnt_id == two.Mnt_id
}
