package main

var initLayers = []layer{
	{name: "landlock", what: "Landlock: writes below the roots alone, signals and tracing inside alone", edits: []edit{{
		"linux/box/start.go", "if c.Plan.LandlockABI > 0 {", "if false {",
	}}},
	{name: "scope", what: "of Landlock, signals and abstract sockets inside alone", edits: []edit{{
		"linux/box/landlock.go", "attr.Scoped = ll.ScopeAbstractUnixSocket | ll.ScopeSignal", "attr.Scoped = 0",
	}}},
	{name: "dumpable", what: "init is not dumpable: nobody reads or traces it", edits: []edit{{
		"linux/box/confine.c", "if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)", "if (0)",
	}}},
	{name: "capabilities", what: "init and the command have no capabilities", edits: []edit{
		{"linux/box/confine.c", "for (int cap = 0; cap < 64; cap++) {", "for (int cap = 0; cap < 0; cap++) {"},
		{"linux/box/confine.c", "PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &head, none) < 0)", "PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || !&head || !&none)"},
	}},
	{name: "nonewprivs", what: "no_new_privs", vital: true, edits: []edit{{
		"linux/box/confine.c", "if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)", "if (0)",
	}}},
	{name: "netns", what: "srun looks itself whether the network namespace is another", edits: []edit{{
		"linux/box/enter.go", "if ours.Equal(theirs) {", "if false {",
	}}},
	{name: "descriptors", what: "descriptors that srun inherited are closed, but for pipes", edits: []edit{{
		"linux/box/command.c", "S_ISFIFO(st.st_mode))", "1)",
	}}},
}
