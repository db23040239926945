package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"srun/launcher"
	"srun/policy"
	"srun/policy/pathtree"
)

// mostNamed bounds what a line names.
const mostNamed = 5

// withheld are lines on what is known to have been kept from a command that failed.
func (o *options) withheld(pol *policy.Policy, environ []string, refused []uint16) (lines []string) {
	if names := withheldVariables(pol, environ); len(names) > 0 {
		lines = append(lines, withheldLine(names))
	}
	for _, path := range o.hiddenTemps(pol) {
		lines = append(lines, hiddenTempLine(path))
	}
	return append(lines, hostPorts(pol, refused)...)
}

// hostPorts are lines on ports at which the command found nobody, and the host does.
// Those that lead to the host anyway are none of them.
func hostPorts(pol *policy.Policy, refused []uint16) (lines []string) {
	if len(refused) == 0 {
		return nil
	}
	listening := launcher.HostListening()
	there := policy.PortsOf(pol.Network.Allow, policy.Localhost)
	for _, rule := range pol.Network.Forward {
		there = append(there, rule.Port)
	}
	refused = slices.DeleteFunc(refused, func(port uint16) bool { return slices.Contains(there, port) })
	slices.Sort(refused)
	for _, port := range refused {
		if slices.Contains(listening, port) {
			lines = append(lines, hostPortLine(port))
		}
	}
	return lines
}

// withheldVariables are those of an environment that the default list keeps from
// the command. Of those that a user denied the user knows.
func withheldVariables(pol *policy.Policy, environ []string) (names []string) {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if value == "" {
			continue
		}
		if rule, ok := pol.Environment.Withheld(name); ok && rule.Source.Tier == policy.TierDefault {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inTemp is a path below one of the directories that the command has its own of.
var inTemp = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(/var)?/tmp/[^[:space:]'\"`;|&<>()$*?]+") })

// hiddenTemps are the host's temporary files that the command line names, and that
// are not there inside.
func (o *options) hiddenTemps(pol *policy.Policy) (paths []string) {
	if pol.Filesystem.Tmp == policy.TmpHost {
		return nil
	}
	for _, arg := range o.argv() {
		for i := 0; i < len(arg); i++ {
			if arg[i] != '/' || i > 0 && !strings.ContainsRune(" \t\n'\"=<>:(,", rune(arg[i-1])) {
				continue
			}
			path := filepath.Clean(inTemp().FindString(arg[i:]))
			if path == "." || slices.Contains(paths, path) || len(paths) == mostNamed {
				continue
			}
			if _, err := os.Lstat(path); err == nil && !shown(pol, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// shown tells whether a path list has a path of the host's be there inside.
func shown(pol *policy.Policy, path string) bool {
	covers := func(r policy.PathRule) bool { return !r.Glob && pathtree.Contains(r.Path, path) }
	return slices.ContainsFunc(pol.Filesystem.AllowRead, covers) || slices.ContainsFunc(pol.Filesystem.AllowWrite, covers)
}

// notFound are lines on a command that is in the host's /tmp and not in its own.
func (o *options) notFound(pol *policy.Policy, err error) (lines []string) {
	if startStatus(err) != statusNotFound {
		return nil
	}
	for _, path := range o.hiddenTemps(pol) {
		lines = append(lines, hiddenTempLine(path))
	}
	return lines
}
