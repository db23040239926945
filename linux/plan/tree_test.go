package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// print shows operations a line each, without those that every plan begins
// with.
func printOps(ops []Op) string {
	var b strings.Builder
	for _, op := range ops {
		if op.Kind == OpWritable {
			continue
		}
		fmt.Fprintf(&b, "%s %s", op.Kind, op.Path)
		if op.Kind == OpClone || op.Kind == OpAttach {
			fmt.Fprintf(&b, " #%d", op.Slot)
		}
		if op.Kind == OpMask && op.Slot == 1 {
			b.WriteString(" open")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func dir(path string, set func(*point)) point {
	p := point{Path: path, Own: facts{dir: true}}
	set(&p)
	return p
}

func file(path string, set func(*point)) point {
	p := dir(path, set)
	p.Own.dir = false
	return p
}

func allowW(p *point) { p.AllowWrite = true }
func denyW(p *point)  { p.DenyWrite = true }
func allowR(p *point) { p.AllowRead = true }
func denyR(p *point)  { p.DenyRead = true }
func hideR(p *point)  { p.HideByDefault = true }

func TestTreeOps(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []point
		want   string
	}{
		{"nothing", nil, "make read-only /\n"},
		{
			"a writable directory", []point{dir("/w", allowW)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\n",
		},
		{
			"one inside another is one", []point{dir("/w", allowW), dir("/w/x", allowW)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\n",
		},
		{
			"a denied path pins its ancestors", []point{dir("/w", allowW), dir("/w/a/b/c", denyW)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\npin /w/a\npin /w/a/b\nbind read-only /w/a/b/c\n",
		},
		{
			"an ancestor is pinned once", []point{dir("/w", allowW), file("/w/a/x", denyW), file("/w/a/y", denyW)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\npin /w/a\nbind read-only /w/a/x\nbind read-only /w/a/y\n",
		},
		{
			"no allow takes a denied write back", []point{dir("/w", allowW), dir("/w/a", denyW), dir("/w/a/b", allowW)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\nbind read-only /w/a\n",
		},
		{
			"a tie denies", []point{dir("/w", allowW), dir("/w", denyW), dir("/h", allowR), dir("/h", denyR)},
			"make read-only /\ncover /h\n",
		},
		{
			"an allow of the very path opens a default", []point{dir("/h", hideR), dir("/h", allowR), dir("/i", hideR), dir("/j", hideR), dir("/j", allowR), dir("/j", denyR)},
			"make read-only /\ncover /i\ncover /j\n",
		},
		{
			"a denied write outside is nothing new", []point{dir("/x", denyW)},
			"make read-only /\n",
		},
		{
			"a hidden path in a writable one", []point{dir("/w", allowW), file("/w/a/key", denyR)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\npin /w/a\ncover /w/a/key\n",
		},
		{
			"visible under hidden", []point{dir("/h", denyR), file("/h/a/known", allowR), file("/h/a/other", allowR)},
			"make read-only /\ncopy /h/a/known #0\ncopy /h/a/other #1\ncover /h open\n" +
				"make a place /h/a\nmake a place /h/a/known\nattach the copy /h/a/known #0\n" +
				"make a place /h/a/other\nattach the copy /h/a/other #1\nmake read-only /h\n",
		},
		{
			"writable under hidden", []point{dir("/h", denyR), dir("/h/w", allowW), dir("/h/w", allowR)},
			"copy /h/w #0\nmake read-only /\ncover /h open\nmake a place /h/w\nattach the copy /h/w #0\nmake read-only /h\n",
		},
		{
			"hidden stays hidden below", []point{dir("/h", denyR), dir("/h/a", denyR), dir("/h/b", denyW)},
			"make read-only /\ncover /h\n",
		},
		{
			"but what may be written may be read", []point{dir("/h", denyR), dir("/h/a", allowW), dir("/h/a/b", denyR)},
			"copy /h/a #0\nmake read-only /\ncover /h open\nmake a place /h/a\nattach the copy /h/a #0\ncover /h/a/b\nmake read-only /h\n",
		},
		{
			"names that only begin alike", []point{dir("/w", allowW), dir("/w-x", denyW), dir("/w.y", denyR)},
			"copy /w #0\nmake read-only /\nattach the copy /w #0\ncover /w.y\n",
		},
		{
			"everything writable", []point{dir("/", allowW), dir("/etc/x", denyW)},
			"make read-only /proc\nmake read-only /dev\npin /etc\nbind read-only /etc/x\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, printOps(treeOps(resolve(c.points), nil, nil))); d != "" {
				t.Error(d)
			}
		})
	}
}

// The order in which rules are given says nothing.
func TestTreeOpsOrder(t *testing.T) {
	a := []point{dir("/w", allowW), dir("/w/a", denyW), dir("/h", denyR), file("/h/k", allowR)}
	b := []point{a[3], a[1], a[2], a[0]}
	if d := cmp.Diff(printOps(treeOps(resolve(a), nil, nil)), printOps(treeOps(resolve(b), nil, nil))); d != "" {
		t.Error(d)
	}
}

func BenchmarkTreeOps(b *testing.B) {
	points := []point{dir("/w", allowW)}
	for i := range 10_000 {
		points = append(points, dir(fmt.Sprintf("/w/%d/%d/x", i%100, i), denyW))
	}
	for b.Loop() {
		treeOps(resolve(points), nil, nil)
	}
}
