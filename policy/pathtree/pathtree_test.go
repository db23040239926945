package pathtree

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
)

var names = []string{"a", "b", "a.b", "a-", "c"}

func randomPath(r *rand.Rand) string {
	p := "/"
	for range r.IntN(5) {
		p = Join(p, names[r.IntN(len(names))])
	}
	return p
}

func randomRules(r *rand.Rand) []Rule {
	var rules []Rule
	for range r.IntN(9) {
		rule := Rule{Path: randomPath(r)}
		switch r.IntN(5) {
		case 0:
			rule.AllowWrite = true
		case 1:
			rule.DenyWrite = true
		case 2:
			rule.AllowRead = true
		case 3:
			rule.DenyRead = true
		case 4:
			rule.HideByDefault = true
		}
		rules = append(rules, rule)
	}
	return rules
}

// narrowest returns the longest of the rules that cover a path, and the first of
// those.
func narrowest(rules []Rule, p string, has func(Effects) bool) (index int) {
	index = None
	for i, rule := range rules {
		if has(rule.Effects) && Contains(rule.Path, p) && (index == None || len(rule.Path) > len(rules[index].Path)) {
			index = i
		}
	}
	return index
}

// widestOpener is the first of the shortest rules below a denial that open a path
// because they let it be written.
func widestOpener(rules []Rule, p string, deny int) (index int) {
	index = None
	for i, rule := range rules {
		denied := narrowest(rules, rule.Path, func(e Effects) bool { return e.DenyWrite }) != None
		if rule.AllowWrite && !denied && Contains(rule.Path, p) && len(rule.Path) > len(rules[deny].Path) &&
			(index == None || len(rule.Path) < len(rules[index].Path)) {
			index = i
		}
	}
	return index
}

// plainly decides as the documentation says it: the narrowest rule wins for
// reading and a tie denies, but for a default's; any denied write wins; what may be
// written inside what is denied may be read.
func plainly(rules []Rule, p string) Decision {
	d := Decision{Read: None, Write: None}
	deny := narrowest(rules, p, func(e Effects) bool { return e.DenyRead || e.HideByDefault })
	if deny != None && rules[deny].HideByDefault { // of one path, a rule that is no default comes first
		if own := narrowest(rules, p, func(e Effects) bool { return e.DenyRead }); own != None && len(rules[own].Path) == len(rules[deny].Path) {
			deny = own
		}
	}
	allow := narrowest(rules, p, func(e Effects) bool { return e.AllowRead })
	switch {
	case deny == None:
	case allow == None || len(rules[allow].Path) < len(rules[deny].Path),
		len(rules[allow].Path) == len(rules[deny].Path) && rules[deny].DenyRead:
		if d.Read = widestOpener(rules, p, deny); d.Read == None {
			d.Read, d.NoRead = deny, true
		}
	default:
		d.Read = allow
	}
	noWrite := narrowest(rules, p, func(e Effects) bool { return e.DenyWrite })
	write := narrowest(rules, p, func(e Effects) bool { return e.AllowWrite })
	d.NoWrite, d.InWrite = noWrite != None, write != None
	if d.Write = write; d.NoWrite {
		d.Write = noWrite
	}
	return d
}

func TestDecide(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		rules := randomRules(r)
		set := NewRules(rules)
		for range 20 {
			p := randomPath(r)
			if got, want := set.Decide(p), plainly(rules, p); got != want {
				t.Fatalf("seed %d: %+v\n%s: %+v, want %+v", seed, rules, p, got, want)
			}
		}
	}
}

// A tree of points and a list of rules say the same.
func TestTree(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		rules := randomRules(r)
		var points []Point[int]
		for _, rule := range rules {
			points = append(points, Point[int]{Path: rule.Path, Effects: rule.Effects, Own: 1})
		}
		tree, set := Resolve(points, 0, func(a, b int) int { return a + b }), NewRules(rules)
		for range 20 {
			p := randomPath(r)
			if n := tree.At(p); n.State != set.Decide(p).State || !Contains(n.Path, p) {
				t.Fatalf("seed %d: %+v\n%s: %+v, want %+v", seed, rules, p, n, set.Decide(p))
			}
		}
		for i, n := range tree {
			below := slices.ContainsFunc(tree[i+1:], func(o *Node[int]) bool { return Contains(n.Path, o.Path) && o.Access() != Hidden })
			if n.Reopened != (n.Access() == Hidden && below) {
				t.Fatalf("seed %d: %s is said to be reopened: %v", seed, n.Path, n.Reopened)
			}
		}
	}
}

func TestGlobs(t *testing.T) {
	set := NewRules([]Rule{
		{Path: "/p", Effects: Effects{AllowWrite: true}},
		{Path: "/p/**/*.pem", Glob: true, Effects: Effects{DenyRead: true, DenyWrite: true}},
		{Path: "/p/a.pem/shown", Effects: Effects{AllowRead: true}},
	})
	for p, want := range map[string]Decision{
		"/p/x":             {State{InWrite: true}, None, 0},
		"/p/a.pem":         {State{InWrite: true, NoWrite: true, NoRead: true}, 1, 1},
		"/p/d/b.pem/x":     {State{InWrite: true, NoWrite: true, NoRead: true}, 1, 1},
		"/p/a.pem/shown/x": {State{InWrite: true, NoWrite: true}, 2, 1},
		"/q/a.pem":         {State{}, None, None},
	} {
		if got := set.Decide(p); got != want {
			t.Errorf("%s: %+v, want %+v", p, got, want)
		}
	}
	if !set.Below("/anywhere") || NewRules([]Rule{{Path: "/p/x"}}).Below("/q") || !NewRules([]Rule{{Path: "/p/x"}}).Below("/p") {
		t.Error("Below")
	}
}

// Names are found as comparing every end of every path does.
func TestNames(t *testing.T) {
	list := []Name{"a", "b/a.b", "c/*", "*.b", "a/b/c", "a*b"}
	set := NewNames(list)
	for seed := range uint64(500) {
		p := randomPath(rand.New(rand.NewPCG(seed, 3)))
		for i, name := range list {
			want := false
			for at := p; at != "/"; at = path.Dir(at) {
				end := strings.Split(at, "/")[1:]
				parts := name.Parts()
				if len(end) < len(parts) {
					continue
				}
				all := true
				for j, part := range parts {
					ok, _ := path.Match(part, end[len(end)-len(parts)+j])
					all = all && ok
				}
				want = want || all
			}
			found := slices.ContainsFunc(set.In(p), func(m Match) bool { return m.Index == i })
			if found != want || name.Covers(p) != want {
				t.Fatalf("%s in %s: %v and %v, want %v", name, p, found, name.Covers(p), want)
			}
		}
	}
}

func TestLess(t *testing.T) {
	sorted := []string{"/", "/a", "/a/b", "/a/b/c", "/a/c", "/a-", "/a-/b", "/a.b", "/b"}
	if !slices.IsSortedFunc(sorted, func(a, b string) int { return Less(a, b) }) {
		t.Error("a directory is not followed by what is below it")
	}
	for _, c := range []struct {
		dir, path string
		want      bool
	}{{"/", "/a", true}, {"/a", "/a", true}, {"/a", "/a/b", true}, {"/a", "/ab", false}, {"/a/b", "/a", false}} {
		if Contains(c.dir, c.path) != c.want {
			t.Errorf("Contains(%s, %s) is not %v", c.dir, c.path, c.want)
		}
	}
}
