//go:build linux

package trace

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
	"srun/policy"
	"srun/policy/pathtree"
)

// Denial is an act on a file that the sandbox refused.
type Denial struct {
	Operation string // "read", "write" or "exec"
	Path      string // without symbolic links
	PID       int
	Command   string

	Reason string // where no rule of the policy is the reason
	Ruled  string // the path that the policy's rule is about: Path, or its directory
	Hidden bool   // because of what may not be read
	Secret bool   // and that is on the default list
	Fixed  bool   // no allow takes it back

	Rule      string        // with Reason: the rule in the policy's words
	Source    policy.Source // and where it came from
	Protected bool
	Grant     string // the path to allow, which exists, or ""
}

// Judge tells denials of the sandbox's from other failures. It goes by the plan
// and not by the policy: that is what is enforced.
type Judge struct{ plan *plan.Plan }

// NewJudge returns the judge of one sandbox.
func NewJudge(p *plan.Plan) *Judge { return &Judge{p} }

// refusals are the errors that the sandbox's mounts and Landlock refuse with:
// masks have no rights, and what lies in a mask is absent.
var refusals = map[unix.Errno]bool{
	unix.EACCES: true, unix.EPERM: true, unix.EROFS: true, unix.EXDEV: true, unix.EBUSY: true, unix.ENOENT: true,
}

// call judges a failed call: a denial for each path that it was refused for.
func (j *Judge) call(pid int, call syscallInfo, errno unix.Errno) []Denial {
	name := callName(&call)
	var acts []act
	var places []plan.Place
	for _, r := range roles(name) {
		a, ok := r.act(pid, name, &call)
		if !ok || errno == unix.ENOENT && !j.mayBeMasked(a.path) {
			return nil
		}
		p, ok := a.locate()
		if !ok {
			return nil
		}
		if a.create && p.Missing {
			a.kind = makeAct
		}
		acts, places = append(acts, a), append(places, p)
	}
	if failsAnyway(name, &call, acts, places, errno) {
		return nil
	}
	var denials []Denial
	for i, a := range acts {
		if d, ok := j.act(a, places[i], errno); ok {
			denials = append(denials, d)
		} else if a.kind == execAct {
			denials = append(denials, j.interpreter(a, places[i], errno)...)
		}
	}
	return denials
}

// Failed tells which of an act's paths the sandbox refused it for, if any: those
// of a call's arguments that are one, links resolved, with its flags.
func (j *Judge) Failed(name string, paths []string, flags uint64, errno unix.Errno) (denials []Denial) {
	call := syscallInfo{args: [6]uint64{2: flags, 4: flags}} // where unlinkat and renameat2 have them
	var acts []act
	var places []plan.Place
	for i, r := range roles(name) {
		a := act{kind: r.kind, dir: unix.AT_FDCWD, path: paths[i]}
		if r.kind == openAct {
			a.open(flags)
			a.follow = false
		}
		p, ok := a.locate()
		if !ok {
			return nil
		}
		if a.create && p.Missing {
			a.kind = makeAct
		}
		acts, places = append(acts, a), append(places, p)
	}
	if len(acts) == 0 || failsAnyway(name, &call, acts, places, errno) {
		return nil
	}
	for i, a := range acts {
		if d, ok := j.act(a, places[i], errno); ok {
			denials = append(denials, d)
		}
	}
	return denials
}

// mayBeMasked tells whether a file can be missing inside and be there outside.
// Most calls that fail look for something in many places.
func (j *Judge) mayBeMasked(path string) bool {
	return len(j.plan.Reopened) > 0 || strings.HasPrefix(path, "/dev/")
}

func (j *Judge) act(a act, p plan.Place, errno unix.Errno) (d Denial, ok bool) {
	d = Denial{Operation: a.kind.operation(), Path: a.shown(p.Path), Ruled: p.Path, Grant: p.Path}
	if !j.refused(&d, a, p, errno) {
		return d, false
	}
	return d, true
}

// refused tells whether the sandbox is one that refuses this act so.
func (j *Judge) refused(d *Denial, a act, p plan.Place, errno unix.Errno) bool {
	n := j.plan.State(p.Path)
	d.Hidden, d.Secret = n.Access() == pathtree.Hidden, j.plan.HiddenByDefault(p.Path)
	for _, own := range plan.OwnTrees {
		if pathtree.Contains(own, p.Path) && !d.Hidden {
			return j.refusedOwn(d, own, p, errno)
		}
	}
	switch {
	case j.plan.Own(p.Path):
		return j.refusedPrivate(d, p, errno)
	case errno == unix.ENOENT:
		return d.Hidden
	case d.Operation != "write":
		return d.Hidden && errno != unix.EROFS
	case n.Access() != pathtree.ReadWrite:
		d.Fixed = n.NoWrite
		if a.kind.names() {
			d.Grant = filepath.Dir(p.Path)
		}
		return true
	case !a.kind.names():
		return false
	}
	return j.refusedName(d, p.Path, errno)
}

// refusedName is about the name of what may be written itself.
func (j *Judge) refusedName(d *Denial, path string, errno unix.Errno) bool {
	dir := j.plan.State(filepath.Dir(path))
	if path != "/" && dir.Access() != pathtree.ReadWrite {
		d.Ruled, d.Grant = filepath.Dir(path), filepath.Dir(path)
		d.Hidden, d.Fixed = dir.Access() == pathtree.Hidden, dir.NoWrite
		return true
	}
	d.Reason = j.plan.Unmoved[path]
	return errno == unix.EBUSY && d.Reason != ""
}

// refusedOwn is about the trees that the sandbox has its own of.
func (j *Judge) refusedOwn(d *Denial, own string, p plan.Place, errno unix.Errno) bool {
	for _, w := range plan.OwnWritable {
		if pathtree.Contains(w, p.Path) {
			return false
		}
	}
	d.Reason, d.Grant = "the sandbox has a "+own+" of its own", ""
	if errno == unix.ENOENT {
		return own == "/dev" && !p.Missing
	}
	return d.Operation == "write" && (errno == unix.EROFS || errno == unix.EACCES)
}

// refusedPrivate is about a directory that the command has its own of: a file of the
// host's is missing there.
func (j *Judge) refusedPrivate(d *Denial, p plan.Place, errno unix.Errno) bool {
	d.Hidden, d.Secret = true, false
	return errno == unix.ENOENT && !p.Missing && d.Operation != "write"
}

// interpreter judges the program that a script names in its first line: execve
// fails for the script when that is refused.
func (j *Judge) interpreter(script act, p plan.Place, errno unix.Errno) []Denial {
	f, err := os.Open(p.Path)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 256) // BINPRM_BUF_SIZE in the kernel
	n, _ := f.Read(head)
	line, _, ended := bytes.Cut(head[:n], []byte("\n"))
	words := bytes.Fields(bytes.TrimPrefix(line, []byte("#!")))
	if !ended || !bytes.HasPrefix(line, []byte("#!")) || len(words) == 0 {
		return nil
	}
	script.path, script.follow = string(words[0]), true
	at, ok := script.locate()
	if !ok || !script.hostAllows(at) {
		return nil
	}
	if d, ok := j.act(script, at, errno); ok {
		return []Denial{d}
	}
	return nil
}
