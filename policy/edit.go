package policy

import (
	"bytes"
	"errors"
	"strings"

	"github.com/tailscale/hujson"
)

// addAllowedDomain returns the settings text with pattern added to
// network.allowedDomains and all else as it was. Nil text is a new file. The
// result is parsed again, so that no edit can write a file that does not load.
func addAllowedDomain(data []byte, path, pattern string) ([]byte, error) {
	if data == nil {
		data = []byte("{}\n")
	}
	root, err := hujson.Parse(bytes.Clone(data))
	if err != nil {
		return nil, err
	}
	obj, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, errors.New("not an object")
	}
	depth := 0
	if isClaudeShaped(obj) {
		if obj, err = childObject(obj, "sandbox", depth); err != nil {
			return nil, err
		}
		depth++
	}
	network, err := childObject(obj, "network", depth)
	if err != nil {
		return nil, err
	}
	list, err := childList(network, "allowedDomains", depth+1)
	if err != nil {
		return nil, err
	}
	if listed(list, pattern) {
		return data, nil
	}
	appendElement(list, hujson.String(pattern), depth+2)
	edited := root.Pack()
	return edited, verifyEdit(edited, path, pattern)
}

func listed(list *hujson.Array, pattern string) bool {
	for i := range list.Elements {
		lit, ok := list.Elements[i].Value.(hujson.Literal)
		if !ok {
			continue
		}
		if p, err := ParsePattern(lit.String()); err == nil && p.text == pattern {
			return true
		}
	}
	return false
}

func verifyEdit(edited []byte, path, pattern string) error {
	want, err := ParsePattern(pattern)
	if err != nil {
		return err
	}
	r := &reader{layer: &layer{}, path: path, tier: TierLocal, base: "/", home: "/", data: edited}
	if err := r.parseSettings(); err != nil {
		return err
	}
	for _, rule := range r.layer.allow {
		if rule.Pattern == want {
			return nil
		}
	}
	return errors.New("the edited text does not allow it")
}

func childObject(parent *hujson.Object, name string, depth int) (*hujson.Object, error) {
	child, ok := child(parent, name, depth, &hujson.Object{}).(*hujson.Object)
	if !ok {
		return nil, errors.New(name + " is not an object")
	}
	return child, nil
}

func childList(parent *hujson.Object, name string, depth int) (*hujson.Array, error) {
	child, ok := child(parent, name, depth, &hujson.Array{}).(*hujson.Array)
	if !ok {
		return nil, errors.New(name + " is not a list")
	}
	return child, nil
}

// child returns the member's value, which is added when it is missing.
func child(parent *hujson.Object, name string, depth int, missing hujson.ValueTrimmed) hujson.ValueTrimmed {
	for i := range parent.Members {
		if parent.Members[i].Name.Value.(hujson.Literal).String() == name {
			return parent.Members[i].Value.Value
		}
	}
	var g gap
	if n := len(parent.Members); n > 0 {
		last := &parent.Members[n-1]
		g = gap{last.Name.BeforeExtra, last.Value.AfterExtra != nil, true}
	}
	before, after := g.fill(&parent.AfterExtra, depth)
	parent.Members = append(parent.Members, hujson.ObjectMember{
		Name:  hujson.Value{BeforeExtra: before, Value: hujson.String(name)},
		Value: hujson.Value{BeforeExtra: hujson.Extra(" "), Value: missing, AfterExtra: after},
	})
	return missing
}

func appendElement(list *hujson.Array, element hujson.Literal, depth int) {
	var g gap
	if n := len(list.Elements); n > 0 {
		last := &list.Elements[n-1]
		g = gap{last.BeforeExtra, last.AfterExtra != nil, true}
	}
	before, after := g.fill(&list.AfterExtra, depth)
	list.Elements = append(list.Elements, hujson.Value{BeforeExtra: before, Value: element, AfterExtra: after})
}

// gap is what surrounds the last entry of a list or object.
type gap struct {
	before   hujson.Extra // what stands before the last entry
	trailing bool         // a comma follows it
	entries  bool         // there is a last entry
}

// fill returns what to put before and after a new last entry, laid out as the
// one before it is. Comments between the old last entry and the closing
// bracket stay with the old one.
func (g gap) fill(end *hujson.Extra, depth int) (before, after hujson.Extra) {
	indent, closing := "\n"+strings.Repeat("  ", depth+1), "\n"+strings.Repeat("  ", depth)
	if g.entries {
		indent = " "
		if i := bytes.LastIndexByte(g.before, '\n'); i >= 0 {
			indent = "\n" + leadingSpace(string(g.before[i+1:]))
		}
	}
	if i := bytes.LastIndexByte(*end, '\n'); i >= 0 {
		closing = "\n" + leadingSpace(string((*end)[i+1:]))
	}
	comment := strings.TrimRight(string(*end), " \t\r\n")
	if comment != "" && indent == " " {
		indent = closing + "  "
	}
	if comment != "" || !g.entries {
		*end = hujson.Extra(closing)
	}
	if g.trailing {
		after = hujson.Extra{}
	}
	return hujson.Extra(comment + indent), after
}

func leadingSpace(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }
