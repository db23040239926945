package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every field of a layer is kept by one row of the table, which merges it and
// says when it loosens.
func TestTableKnowsEveryField(t *testing.T) {
	l := &layer{}
	rows := make(map[any][]string)
	for _, s := range table() {
		if at := s.kind.field(l); at != nil {
			rows[at] = append(rows[at], s.key+" --"+s.flag.name)
		}
	}
	v := reflect.ValueOf(l).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		at := reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Interface()
		switch {
		case slices.Contains([]string{"source", "unused", "notices"}, name):
			if len(rows[at]) != 0 {
				t.Errorf("layer.%s is no setting, and yet it is kept by %q", name, rows[at])
			}
		case len(rows[at]) != 1:
			t.Errorf("layer.%s is kept by %q; want one row of the table", name, rows[at])
		}
		delete(rows, at)
	}
	for _, names := range rows {
		t.Errorf("%q keep what is no field of layer", names)
	}
}

// What of a key tightens is decided here once more, by name: a row that says
// "never" of anything else is a hole.
func TestOnlyTheseNeverLoosen(t *testing.T) {
	want := map[string]string{
		"network.deniedDomains": "denies", "network.deniedResolvedAddresses": "denies", "filesystem.denyWrite": "denies",
		"filesystem.denyRead": "denies", "environment.deny": "denies", "network.deniedDomainReasons": "text",
		"network.allowManagedDomainsOnly": "managed only", "filesystem.allowManagedReadPathsOnly": "managed only",
		"enabled": "changes nothing", "autoAllowBashIfSandboxed": "changes nothing", "allowUnsandboxedCommands": "changes nothing",
		"failIfUnavailable": "changes nothing", "excludedCommands": "changes nothing",
	}
	for _, s := range table() {
		if s.key == "" || s.kind.field(&layer{}) == nil {
			continue // flags are the user's own; what keeps nothing loosens as what it feeds
		}
		if s.kind.loosens() == never && want[s.key] == "" {
			t.Errorf("%s never loosens: say here why", s.key)
		}
		if s.kind.loosens() != never && want[s.key] != "" {
			t.Errorf("%s loosens, and is here as: %s", s.key, want[s.key])
		}
	}
}

func TestTableIsInOrder(t *testing.T) {
	keys, flags := map[string]bool{}, map[string]bool{}
	for _, s := range table() {
		switch {
		case s.key == "" && s.flag.name == "":
			t.Errorf("a row without key and flag: %q", s.about)
		case s.key != "" && keys[s.key], s.flag.name != "" && flags[s.flag.name]:
			t.Errorf("%s --%s is there twice", s.key, s.flag.name)
		case (s.key == "") != (s.of == 0):
			t.Errorf("%s --%s: files and a key go together", s.key, s.flag.name)
		case s.about == "" || !strings.HasSuffix(s.about, "."):
			t.Errorf("%s --%s: %q is no sentence", s.key, s.flag.name, s.about)
		}
		keys[s.key], flags[s.flag.name] = true, true
	}
	for key := range keys {
		for parent := key; strings.Contains(parent, "."); {
			parent = parent[:strings.LastIndexByte(parent, '.')]
			if keys[parent] {
				t.Errorf("%s is a value, and yet %s is below it", parent, key)
			}
		}
	}
}

func TestFlagThatIsNone(t *testing.T) {
	w := newWorld(t)
	w.Flags = Flags{"allow-domains": {"a.example"}}
	if got := w.loadError(); got != "--allow-domains: no such flag makes policy" {
		t.Errorf("error = %q", got)
	}
}
