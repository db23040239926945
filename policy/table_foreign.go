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
	const masking = "for masked credentials"
	return []setting{
		{"credentials.files", everywhere, "Files by path, which with mode deny are not read.",
			credentialsInto("path", path(), func(l *layer) *[]PathRule { return &l.denyRead }), flag{}},
		{"credentials.envVars", everywhere, "Variables by name, which with mode deny are withheld.",
			credentialsInto("name", variableGlob(), func(l *layer) *[]EnvRule { return &l.envDeny }), flag{}},
		{"credentials.allowPlaintextInject", everywhere, "For masked credentials, which srun does not make.",
			heeded(boolean(), passesOver(yes, masking)), flag{}},
		{"credentials.awsPairs", everywhere, "For masked credentials: refused unless it is empty.",
			heeded(anyList("objects"), refuses(notEmpty[struct{}], "masked credentials are not supported: AWS requests are not signed anew")), flag{}},
		{"credentials.sigv4", everywhere, "For masked credentials, which srun does not make.",
			passed{words: "object", why: masking}, flag{}},
	}
}

// foreignSettings are keys of srt 0.0.83 and of Claude Code.
func foreignSettings() []setting {
	return append(claudeSettings(), append(helperSettings(), []setting{
		{"network.requireHostMatch", everywhere, "Of srt: always so.", heeded(boolean(), nil), flag{}},
		{"network.refuseOpaqueTunnels", everywhere, "Of srt: where a rule needs it, always so.", heeded(boolean(), nil), flag{}},
		{"network.ambiguousRequestTarget", everywhere, "Of srt: only refuse, which is always so where a rule names paths.",
			heeded(word(), refuses(notRefuse, `srun refuses such a request where a rule names paths; write "refuse"`)), flag{}},
		{"network.allowPlaintextHeaderSet", everywhere, "For srt's filterRequest.",
			heeded(boolean(), passesOver(yes, "for srt's filterRequest")), flag{}},
		{"network.stripResponseHeaders", everywhere, "Of srt: refused unless it is empty, for srun passes all of a response on.",
			heeded(anyList("text"), refuses(notEmpty[struct{}], "srun passes all headers of a response on")), flag{}},
		{"network.filterRequest", everywhere, "Refused: a function of srt's library. See network.rules.",
			refused{why: "a function of srt's library, which no file can hold; network.rules says what may be requested"}, flag{}},
		{"network.mitmProxy", everywhere, "Refused: httpProxyPort hands traffic to a proxy on localhost.",
			refused{why: "srt's mitmProxy is not supported; network.httpProxyPort hands traffic to a proxy on localhost"}, flag{}},
		{"allowNestedUserNamespaces", everywhere, "Of srt: true is passed over, with one line.",
			heeded(boolean(), passesOver(yes, "for user namespaces inside the sandbox")), flag{}},
	}...)...)
}

func claudeSettings() []setting {
	of := boolean()
	of.hidden = true
	return []setting{
		{"enabled", everywhere, "Of Claude Code: false is ignored, with one line.",
			one(of, never, func(l *layer) *opt[bool] { return &l.enabled }), flag{}},
		{"enabledPlatforms", everywhere, "Of Claude Code: ignored, with one line.",
			heeded(anyList("text"), neverUnsandboxed), flag{}},
		{"autoAllowBashIfSandboxed", everywhere, "Of Claude Code: changes nothing.",
			one(of, never, func(l *layer) *opt[bool] { return &l.autoAllow }), flag{}},
		{"allowUnsandboxedCommands", everywhere, "Of Claude Code: true is ignored, with one line.",
			one(of, never, func(l *layer) *opt[bool] { return &l.unsandboxed }), flag{}},
		{"failIfUnavailable", everywhere, "Of Claude Code: changes nothing.",
			one(of, never, func(l *layer) *opt[bool] { return &l.failIfMissing }), flag{}},
		{"excludedCommands", everywhere, "Of Claude Code: ignored, with one line.",
			many(entry(), never, func(l *layer) *[]Entry { return &l.excluded }), flag{}},
	}
}

func helperSettings() []setting {
	helper := func(key, words string) setting {
		return setting{key, everywhere, "For srt's own helpers.", passed{words: words, why: "for srt's own helpers"}, flag{}}
	}
	return []setting{
		helper("ripgrep", "object"), helper("mandatoryDenySearchDepth", "number"), helper("seccomp", "object"),
		helper("bwrapPath", "path"), helper("socatPath", "path"), helper("javaAgentJarPath", "path"),
		helper("windows", "object"), helper("git", "object"),
	}
}
