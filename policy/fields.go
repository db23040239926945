package policy

import "math"

// The tables below are functions, not variables, so that importing the
// package builds nothing and an error's suggestion may look through them.

// topFields are the keys of srun's own files and of srt's.
func topFields() []field {
	return append(sandboxFields(), []field{
		{"$schema", func(v value) error { _, err := v.text(); return err }},
		{"environment", func(v value) error { return v.object(environmentFields(), false) }},
		{"limits", func(v value) error { return v.object(limitFields(), false) }},
		{"profiles", func(v value) error { return v.entries(&v.r.layer.profiles) }},
		{"permissions", func(v value) error { return v.object(permissionFields(), false) }},
	}...)
}

// claudeFields are what is read of Claude Code's files.
func claudeFields() []field {
	return []field{
		{"sandbox", func(v value) error { return v.object(sandboxFields(), false) }},
		{"permissions", func(v value) error { return v.object(permissionFields(), true) }},
	}
}

// sandboxFields are the keys that all three shapes share.
func sandboxFields() []field {
	return []field{
		{"network", func(v value) error { return v.object(networkFields(), false) }},
		{"filesystem", func(v value) error { return v.object(filesystemFields(), false) }},
		{"ignoreViolations", value.ignoreViolations},
		{"enableWeakerNestedSandbox", func(v value) error { return v.flag(&v.r.layer.weakerNested) }},
		{"enableWeakerNetworkIsolation", func(v value) error { return v.flag(&v.r.layer.weakerNetwork) }},
		{"allowAppleEvents", func(v value) error { return v.flag(&v.r.layer.appleEvents) }},
		{"allowPty", func(v value) error { return v.flag(&v.r.layer.pty) }},

		{"enabled", func(v value) error { return v.flag(&v.r.layer.enabled) }},
		{"autoAllowBashIfSandboxed", func(v value) error { return v.flag(&v.r.layer.autoAllow) }},
		{"allowUnsandboxedCommands", func(v value) error { return v.flag(&v.r.layer.unsandboxed) }},
		{"failIfUnavailable", func(v value) error { return v.flag(&v.r.layer.failIfMissing) }},
		{"excludedCommands", func(v value) error { return v.entries(&v.r.layer.excluded) }},

		{"credentials", func(v value) error { return v.object(credentialFields(), false) }},
		{"ripgrep", value.unused},
		{"mandatoryDenySearchDepth", value.unused},
		{"seccomp", value.unused},
		{"bwrapPath", value.unused},
		{"socatPath", value.unused},
		{"javaAgentJarPath", value.unused},
		{"windows", value.unused},
		{"git", value.unused},
	}
}

func networkFields() []field {
	return []field{
		{"allowedDomains", func(v value) error { return v.domains(&v.r.layer.allow) }},
		{"deniedDomains", func(v value) error { return v.domains(&v.r.layer.deny) }},
		{"allowManagedDomainsOnly", func(v value) error { return v.managedFlag(&v.r.layer.managedDomainsOnly) }},
		{"strictAllowlist", func(v value) error { return v.flag(&v.r.layer.strict) }},
		{"allowLocalBinding", func(v value) error { return v.flag(&v.r.layer.localBinding) }},
		{"allowUnixSockets", func(v value) error { return v.paths(&v.r.layer.unix) }},
		{"allowAllUnixSockets", func(v value) error { return v.flag(&v.r.layer.allUnix) }},
		{"httpProxyPort", func(v value) error { return v.port(&v.r.layer.httpPort) }},
		{"socksProxyPort", func(v value) error { return v.port(&v.r.layer.socksPort) }},
		{"upstreamProxy", value.upstreamProxy},
		{"parentProxy", func(v value) error { return v.object(parentProxyFields(), false) }},
		{"deniedResolvedAddresses", value.deniedAddresses},
		{"deniedDomainReasons", value.deniedReasons},
		{"tlsTerminate", value.tlsTerminate},
		{"rules", value.requestRules},
		{"allowMachLookup", func(v value) error { return v.entries(&v.r.layer.mach) }},
		{"mitmProxy", func(v value) error {
			return v.errorf("srt's mitmProxy is not supported; network.httpProxyPort hands traffic to a proxy on localhost")
		}},
	}
}

func filesystemFields() []field {
	return []field{
		{"allowWrite", func(v value) error { return v.paths(&v.r.layer.allowWrite) }},
		{"denyWrite", func(v value) error { return v.paths(&v.r.layer.denyWrite) }},
		{"allowRead", func(v value) error { return v.paths(&v.r.layer.allowRead) }},
		{"denyRead", func(v value) error { return v.paths(&v.r.layer.denyRead) }},
		{"allowGitConfig", func(v value) error { return v.flag(&v.r.layer.gitConfig) }},
		{"allowManagedReadPathsOnly", func(v value) error { return v.managedFlag(&v.r.layer.managedReadOnly) }},
		{"disabled", func(v value) error {
			off, err := v.bool()
			if off {
				v.r.neverUnsandboxed(v)
			}
			return err
		}},
	}
}

func environmentFields() []field {
	return []field{
		{"deny", func(v value) error { return v.envGlobs(&v.r.layer.envDeny) }},
		{"allow", func(v value) error { return v.envGlobs(&v.r.layer.envAllow) }},
	}
}

func limitFields() []field {
	return []field{
		{"timeout", func(v value) error { return readLimit(v, &v.r.layer.limits.timeout, parseDuration) }},
		{"memory", func(v value) error { return readLimit(v, &v.r.layer.limits.memory, parseSize) }},
		{"pids", func(v value) error {
			n, err := v.int(1, math.MaxInt32)
			v.r.layer.limits.pids = setting(n, v.source())
			return err
		}},
		{"cpus", func(v value) error { return readLimit(v, &v.r.layer.limits.cpus, parseCPUs) }},
	}
}

func permissionFields() []field {
	return []field{
		{"allow", func(v value) error { return v.permissions("allow") }},
		{"deny", func(v value) error { return v.permissions("deny") }},
		{"ask", func(v value) error { return v.permissions("ask") }},
	}
}
