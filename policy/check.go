package policy

import "slices"

// check looks at what only the whole policy shows: paths that are not there,
// and --env of a variable that a rule denies.
func (p *Policy) check(notices []Notice) ([]Notice, error) {
	for _, v := range p.Environment.Set {
		if rule, ok := p.Environment.denied(v.Name); ok {
			msg := printable(v.Name) + " is denied by environment.deny at " + printable(rule.Source.String())
			return nil, &Error{Flag: "--env", Msg: msg}
		}
	}
	for _, list := range []struct {
		name  string
		rules *[]PathRule
		keep  bool
	}{
		{"filesystem.allowWrite", &p.Filesystem.AllowWrite, false},
		{"filesystem.allowRead", &p.Filesystem.AllowRead, false},
		{"filesystem.allowDevices", &p.Filesystem.Devices, false},
		{"network.allowUnixSockets", &p.Network.UnixSockets, true},
	} {
		more, err := checkPresent(list.name, *list.rules)
		if err != nil {
			return nil, err
		}
		notices = append(notices, more...)
		if !list.keep {
			*list.rules = slices.DeleteFunc(*list.rules, func(r PathRule) bool { return r.Missing })
		}
	}
	markMissing(p.Filesystem.DenyWrite)
	markMissing(p.Filesystem.DenyRead)
	return notices, nil
}

// checkPresent marks the paths of an allow list that are not there: an error
// for a flag's, one notice for a file's.
func checkPresent(name string, rules []PathRule) ([]Notice, error) {
	var notices []Notice
	for i := range rules {
		r := &rules[i]
		if r.Missing = r.missing(); !r.Missing {
			continue
		}
		if r.Source.Tier == TierDefault && name == "filesystem.allowRead" {
			continue // not every system has it
		}
		if r.Source.Flag != "" || r.Source.Tier == TierDefault {
			return nil, &Error{Flag: r.Source.Flag, Msg: printable(r.Path) + ": no such file or directory"}
		}
		notices = append(notices, Notice{Source: r.Source, Msg: name + ": " + printable(r.Path) + " is not there: entry left out"})
	}
	return notices, nil
}

// markMissing marks the paths of a deny list, which hold all the same. The
// defaults are not looked up: that would be the longest part of a start.
func markMissing(rules []PathRule) {
	for i := range rules {
		if rules[i].Source.Tier != TierDefault {
			rules[i].Missing = rules[i].missing()
		}
	}
}
