package policy

import "time"

func filesystemSettings() []setting {
	return []setting{
		{"filesystem.allowWrite", everywhere, "What may be written besides the write root, /tmp and caches.",
			many(path(), everyEntry, func(l *layer) *[]PathRule { return &l.allowWrite }),
			flag{"allow-write", "`PATH` and what is below may be written"}},
		{"filesystem.denyWrite", everywhere, "What may not be written; wins over every allow.",
			many(path(), never, func(l *layer) *[]PathRule { return &l.denyWrite }),
			flag{"deny-write", "`PATH` may not be written; wins over every allow"}},
		{"filesystem.allowRead", everywhere, "What may be read, inside what is denied.",
			many(path(), everyEntry, func(l *layer) *[]PathRule { return &l.allowRead }),
			flag{"allow-read", "`PATH` may be read, inside what is denied"}},
		{"filesystem.denyRead", everywhere, "What may not be read, besides the built-in list.",
			many(path(), never, func(l *layer) *[]PathRule { return &l.denyRead }),
			flag{"deny-read", "`PATH` may not be read"}},
		{"", 0, "A protected path that may be written in this run.",
			protectedPaths{many(path(), never, func(l *layer) *[]PathRule { return &l.openProtected })},
			flag{"open-protected", "the protected `PATH` may be written in this run"}},
		{"filesystem.allowManagedReadPathsOnly", everywhere, "Only managed allowRead counts.",
			managed(func(l *layer) *opt[bool] { return &l.managedReadOnly }), flag{}},
		{"filesystem.allowGitConfig", everywhere, "Whether .git/config may be written.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.gitConfig }), flag{}},
		{"filesystem.disabled", everywhere, "Of srt; ignored.",
			heeded(boolean(), func(v value, off bool) error {
				if off {
					return neverUnsandboxed(v, off)
				}
				return nil
			}), flag{}},
	}
}

func environmentSettings() []setting {
	return []setting{
		{"environment.deny", ownShape, "Variables that are withheld from the command.",
			many(variableGlob(), never, func(l *layer) *[]EnvRule { return &l.envDeny }), flag{}},
		{"environment.allow", ownShape, "Variables that are handed on although a built-in glob covers them.",
			many(variableGlob(), everyEntry, func(l *layer) *[]EnvRule { return &l.envAllow }), flag{}},
		{"", 0, "A variable that is set or handed on.",
			many(variable(), never, func(l *layer) *[]EnvVar { return &l.envSet }),
			flag{"env", "set or hand on a variable: `NAME[=VALUE]`"}},
		{"", 0, "Variables that are withheld.",
			many(variableGlob(), never, func(l *layer) *[]EnvRule { return &l.envUnset }),
			flag{"unset-env", "withhold the variables that match `GLOB`"}},
	}
}

func limitSettings() []setting {
	return []setting{
		{"limits.timeout", ownShape, "Ends the whole sandbox: 20m, or seconds.",
			limited(quantity(parseDuration), func(l *layer) *opt[time.Duration] { return &l.timeout }),
			flag{"timeout", "end everything after `DUR`, such as 90s or 10m"}},
		{"limits.memory", ownShape, "Memory of the process tree: 2G, or bytes.",
			limited(quantity(parseSize), func(l *layer) *opt[int64] { return &l.memory }),
			flag{"memory", "memory limit `SIZE` of the process tree, such as 2G"}},
		{"limits.pids", ownShape, "How many processes there may be.",
			limited(processes(), func(l *layer) *opt[int] { return &l.pids }),
			flag{"pids", "at most `N` processes"}},
		{"limits.cpus", ownShape, "How many processors they may use, such as 1.5.",
			limited(quantity(parseCPUs), func(l *layer) *opt[float64] { return &l.cpus }),
			flag{"cpus", "at most `N` processors, such as 1.5"}},
	}
}

func otherSettings() []setting {
	return []setting{
		{"ignoreViolations", everywhere, "Denials that are left out of the report and still refused, by a part of the command line or *.",
			mapping(violationTargets(), violationRule, everyEntry, func(l *layer) *[]ViolationRule { return &l.ignore }), flag{}},
		{"enableWeakerNestedSandbox", everywhere, "Accept the protections that a container without namespaces cannot give.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.weakerNested }), flag{}},
		{"enableWeakerNetworkIsolation", everywhere, "For macOS.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.weakerNetwork }), flag{}},
		{"allowAppleEvents", everywhere, "For macOS.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.appleEvents }), flag{}},
		{"allowPty", everywhere, "For macOS.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.pty }), flag{}},
		{"profiles", ownShape, "Named profiles to include.",
			many(entry(), everyEntry, func(l *layer) *[]Entry { return &l.profiles }),
			flag{"profile", "add the profile `NAME`"}},
		{"$schema", ownShape, "For editors; not looked at.",
			feed{words: "text", json: textSchema, into: func(v value) error { _, err := v.text(); return err }}, flag{}},
		{"", 0, "A protection whose absence is accepted.",
			many(weakness(), never, func(l *layer) *[]Weaker { return &l.weaker }),
			flag{"allow-weaker", "accept that protection `NAME` is missing here"}},
		{"", 0, "Whether Claude Code's own settings files are read.",
			unlayered{}, flag{"claude", "also read Claude Code's settings files"}},
	}
}
