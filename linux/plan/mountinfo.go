package plan

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy/pathtree"
)

// mountPoint is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mountPoint struct {
	dev    string // major:minor
	root   string // what of the file system is mounted
	at     string
	fstype string
}

// parseMounts returns what is mounted, in the order of mounting.
func parseMounts(data []byte) []mountPoint {
	mounts := make([]mountPoint, 0, bytes.Count(data, []byte{'\n'}))
	for line := range strings.Lines(string(data)) {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.SplitN(before, " ", 6)
		if !ok || len(fields) < 6 {
			continue
		}
		fstype, _, _ := strings.Cut(after, " ")
		mounts = append(mounts, mountPoint{fields[2], unescapeMount(fields[3]), unescapeMount(fields[4]), fstype})
	}
	return mounts
}

var mountEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func unescapeMount(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return mountEscapes.Replace(s)
}

// kernelTypes are file systems through which the kernel is told what to do. The
// rights of a file in them are those of its owner, which is enough for root.
var kernelTypes = []string{
	"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "bpf", "configfs",
	"efivarfs", "pstore", "binfmt_misc", "selinuxfs", "smackfs", "fusectl", "nsfs", "rpc_pipefs",
}

// mounted is the table of mounts.
type mounted struct {
	list  []mountPoint
	at    map[string]*mountPoint   // the last at each path, which is the one that is seen
	byDev map[string][]*mountPoint // those that are seen
}

func newMounted(list []mountPoint) *mounted {
	m := &mounted{list: list, at: make(map[string]*mountPoint, len(list)), byDev: make(map[string][]*mountPoint, len(list))}
	for i := range list {
		m.at[list[i].at] = &list[i]
	}
	for i := range list {
		if p := &list[i]; m.at[p.at] == p {
			m.byDev[p.dev] = append(m.byDev[p.dev], p)
		}
	}
	return m
}

// of returns the mount that a path lies on.
func (m *mounted) of(path string) *mountPoint {
	for ; path != "/"; path = filepath.Dir(path) {
		if p := m.at[path]; p != nil {
			return p
		}
	}
	return m.at["/"]
}

// aliases returns under which other names the mounts show a path, or parts of
// what lies below it.
func (m *mounted) aliases(path string) (same, below []string) {
	on := m.of(path)
	if on == nil || len(m.byDev[on.dev]) < 2 {
		return nil, nil
	}
	inside := filepath.Join(on.root, strings.TrimPrefix(path, on.at))
	for _, other := range m.byDev[on.dev] {
		switch {
		case other == on:
		case pathtree.Contains(other.root, inside):
			same = append(same, filepath.Join(other.at, strings.TrimPrefix(inside, other.root)))
		case pathtree.Contains(inside, other.root) && !pathtree.Contains(path, other.at):
			below = append(below, other.at)
		}
	}
	return same, below
}

// mounts takes care of what is mounted a second time: a denied path elsewhere,
// and file systems of the kernel.
func (b *builder) mounts() error {
	table, err := b.host.Mounts()
	if err != nil {
		return fmt.Errorf("find out what is mounted: %w", err)
	}
	m := newMounted(parseMounts(table))
	for _, p := range slices.Clone(b.points) {
		if p.AllowWrite {
			if on := m.of(p.Path); on != nil && slices.Contains(kernelTypes, on.fstype) {
				return fmt.Errorf("%s: cannot be made writable: it lies in a file system of the kernel (%s)", Quoted(p.Path), on.fstype)
			}
		}
		if p.DenyRead || p.HideByDefault || p.DenyWrite {
			b.denyAliases(m, p)
		}
	}
	for _, p := range m.list {
		b.kernelMount(p)
	}
	return nil
}

// denyAliases denies a path under its other names too.
func (b *builder) denyAliases(m *mounted, p point) {
	same, below := m.aliases(p.Path)
	for _, path := range same {
		if path != p.Path && b.host.Same(path, p.Path) {
			b.denyAlias(path, p)
		}
	}
	for _, path := range below {
		b.denyAlias(path, p)
	}
}

// denyAlias adds what p denies at another path, unless that is allowed by its
// very name.
func (b *builder) denyAlias(path string, p point) {
	if inOwnTree(path) {
		return
	}
	at, err := b.host.Find(path)
	if err != nil || at.Missing || slices.ContainsFunc(b.points, func(q point) bool { return q.Path == at.Path && q.AllowRead }) {
		return
	}
	b.points = append(b.points, point{Path: at.Path, Own: facts{dir: at.Dir}, Effects: p.Effects})
}

// kernelMount hides another /proc or /dev, which show the host's processes and
// devices, and keeps any file system of the kernel from being written.
func (b *builder) kernelMount(m mountPoint) {
	if inOwnTree(m.at) || !slices.Contains(kernelTypes, m.fstype) {
		return
	}
	at, err := b.host.Find(m.at)
	if err != nil || at.Missing || len(at.Links) > 0 {
		return // out of the command's reach as of srun's
	}
	hide := m.fstype == "proc" || m.fstype == "devtmpfs"
	if hide || b.writable(at.Path) {
		b.points = append(b.points, point{Path: at.Path, Own: facts{dir: at.Dir}, Effects: pathtree.Effects{DenyWrite: true, DenyRead: hide}})
	}
}
