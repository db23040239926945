package main

import (
	"path/filepath"
	"strings"

	"srun/launcher"
	"srun/policy"
)

// ignored tells whether a denial is one of those that ignoreViolations leaves
// out of the report. A rule's command is "*" or a part of the run's command
// line, and a target is a part of the denial's, as in srt.
func ignored(rules []policy.ViolationRule, argv []string, d launcher.Denial) bool {
	line := strings.Join(argv, " ")
	for _, r := range rules {
		if r.Command != "*" && !strings.Contains(line, r.Command) {
			continue
		}
		for _, target := range r.Targets {
			if target == "*" || strings.Contains(d.Target, target) {
				return true
			}
		}
	}
	return false
}

// ofNoInterest tells of a denial that no command ever fails of: the counters that
// go's tools write, each of them at every call, where the host has none yet.
func ofNoInterest(home string, d launcher.Denial) bool {
	return home != "" && d.Operation == "write" && d.Target == filepath.Join(home, ".config", "go")
}
