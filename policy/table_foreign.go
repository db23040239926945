package policy

// The settings of srt and Claude Code that srun itself has no use for, or
// another word.

func permissionSettings() []setting {
	const shapes = ownShape | claudeTopLevel
	return []setting{
		{"permissions.allow", shapes, "WebFetch(domain:x), Edit(path), Write(path) and Read(path) become rules; others are left out, with one line.",
			permissionsToAllow(), flag{}},
		{"permissions.deny", shapes, "The same, to deny.", otherPermissions("deny"), flag{}},
		{"permissions.ask", shapes, "No rule: nothing is asked about files.", otherPermissions("ask"), flag{}},
	}
}

func credentialSettings() []setting {
	return []setting{
		{"credentials.files", everywhere, "Files by path, which with mode deny are not read.",
			credentialsInto("path", path(), func(l *layer) *[]PathRule { return &l.denyRead }), flag{}},
		{"credentials.envVars", everywhere, "Variables by name, which with mode deny are withheld.",
			credentialsInto("name", variableGlob(), func(l *layer) *[]EnvRule { return &l.envDeny }), flag{}},
	}
}

func foreignSettings() []setting {
	const helpers = "for srt's own helpers"
	ofClaude := boolean()
	ofClaude.hidden = true
	return []setting{
		{"enabled", everywhere, "Of Claude Code: false is ignored, with one line.",
			one(ofClaude, never, func(l *layer) *opt[bool] { return &l.enabled }), flag{}},
		{"autoAllowBashIfSandboxed", everywhere, "Of Claude Code: changes nothing.",
			one(ofClaude, never, func(l *layer) *opt[bool] { return &l.autoAllow }), flag{}},
		{"allowUnsandboxedCommands", everywhere, "Of Claude Code: true is ignored, with one line.",
			one(ofClaude, never, func(l *layer) *opt[bool] { return &l.unsandboxed }), flag{}},
		{"failIfUnavailable", everywhere, "Of Claude Code: changes nothing.",
			one(ofClaude, never, func(l *layer) *opt[bool] { return &l.failIfMissing }), flag{}},
		{"excludedCommands", everywhere, "Of Claude Code: ignored, with one line.",
			many(entry(), never, func(l *layer) *[]Entry { return &l.excluded }), flag{}},

		{"ripgrep", everywhere, "For srt's own helpers.", passed{words: "object", why: helpers}, flag{}},
		{"mandatoryDenySearchDepth", everywhere, "For srt's own helpers.", passed{words: "number", why: helpers}, flag{}},
		{"seccomp", everywhere, "For srt's own helpers.", passed{words: "object", why: helpers}, flag{}},
		{"bwrapPath", everywhere, "For srt's own helpers.", passed{words: "path", why: helpers}, flag{}},
		{"socatPath", everywhere, "For srt's own helpers.", passed{words: "path", why: helpers}, flag{}},
		{"javaAgentJarPath", everywhere, "For srt's own helpers.", passed{words: "path", why: helpers}, flag{}},
		{"windows", everywhere, "For srt's own helpers.", passed{words: "object", why: helpers}, flag{}},
		{"git", everywhere, "For srt's own helpers.", passed{words: "object", why: helpers}, flag{}},
		{"network.mitmProxy", everywhere, "Refused: httpProxyPort hands traffic to a proxy on localhost.",
			refused{why: "srt's mitmProxy is not supported; network.httpProxyPort hands traffic to a proxy on localhost"}, flag{}},
	}
}
