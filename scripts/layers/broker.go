package main

var brokerLayers = []layer{
	{name: "broker", what: "calls that make names or open for writing stop at srun", filter: true, edits: []edit{
		{table, `"creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat",`, ""},
		{table, `"rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "truncate", "truncate64",`, ""},
		{table, `{{"open", 1}, {"openat", 2}} {`, "{} {"},
	}},
	{name: "reserved", what: "of the broker, denied paths that are not there", edits: []edit{{
		"linux/broker/rules.go", "for p, why := range r.Reserved {", "for p, why := range map[string]Why{} {",
	}}},
	{name: "globs", what: "of the broker, denied patterns", edits: []edit{{
		"linux/broker/rules.go", "for _, glob := range r.Globs {", "for _, glob := range r.Globs[:0] {",
	}}},
	{name: "names", what: "of the broker, protected names at any depth", edits: []edit{{
		"linux/broker/rules.go", "if x.Opened != nil && x.Opened(p) {", "if true {",
	}}},
	{name: "moved", what: "of the broker, names of directories that were there and were moved", edits: []edit{{
		"linux/broker/age.go", "func (a *ages) wasThere(path string) bool {\n\tif packages(path) {", "func (a *ages) wasThere(path string) bool {\n\tif true {",
	}}},
	{name: "git", what: "of the broker, what git would run or follow", edits: []edit{{
		"linux/broker/gitdir.go", "if c.rules.Opened != nil && c.rules.Opened(p) {", "if true {",
	}}},
	{name: "links", what: "of the broker, links in git directories and in the place of old ones, and hard links", edits: []edit{
		{"linux/broker/names.go", "case c.rules.own(dirPath) || name", "case true || c.rules.own(dirPath) || name"},
		{"linux/broker/link.go", "if unix.Fstat(source, &st) != nil || st.Nlink == 0 {", "if unix.Fstat(source, &st) != nil || true {"},
		{"linux/broker/rename.go", "if why == nil && st.Nlink > 1 &&", "if false && st.Nlink > 1 &&"},
		{"linux/broker/repository.go", "return gitWhy(gitLink)", "continue"},
		{"linux/broker/scan.go", "if e.kind == unix.S_IFLNK && !s.was[at] {", "if false {"},
	}},
	{name: "held", what: "of the broker, writing through a descriptor or link of /proc", edits: []edit{{
		"linux/broker/link.go", "if errno != 0 || p == \"\" {\n\t\treturn &unseen", "if errno != 0 || p != \"\" {\n\t\treturn nil",
	}}},
	{name: "mountpoints", what: "of the broker, names that something is mounted on", edits: []edit{
		{"linux/broker/judge.go", "if c.rules.Held[pathtree.Join(dirPath, name)] {", "if false {"},
		{"linux/broker/judge.go", "return err == nil && st.Attributes&", "return false && err == nil && st.Attributes&"},
	}},
	{name: "settled", what: "of the broker, configuration is read when nobody has it open (lease)", edits: []edit{{
		"linux/broker/repository.go", "unix.F_SETLEASE, unix.F_RDLCK); err != nil {", "unix.F_SETLEASE, unix.F_RDLCK); false {",
	}}},
	{name: "judged", what: "of the broker, what was judged is opened for writing no more", edits: []edit{{
		"linux/broker/age.go", "return !ok || a.judged[id]", "return false && (!ok || a.judged[id])",
	}}},
	{name: "rebases", what: "of the broker, a rebase's list is judged at the end", edits: []edit{{
		"linux/broker/broker.go", "\tb.endRebases()\n", "",
	}}},
	{name: "special", what: "of the broker, pipes and devices outside of the roots", edits: []edit{
		{"linux/broker/open.go", "!c.rules.special(pathtree.Join(dirPath, name)) && isSpecial(s)", "false && isSpecial(s)"},
		{"linux/broker/open.go", "len(p) > 0 && p[0] == '/' && !c.rules.special(p) {", "false && !c.rules.special(p) {"},
	}},
	{name: "sockets", what: "of the broker, Unix sockets of the host", edits: []edit{
		{"linux/broker/connect.go", "case c.sockets.may(&st):", "case true:"},
		{"linux/broker/connect.go", "if c.sockets.Shared && !c.sockets.All &&", "if false && !c.sockets.All &&"},
	}},
	{name: "workers", what: "of the broker, it acts without root's capabilities", edits: []edit{{
		"linux/broker/worker.go", "if err := dropCapabilities(); err != nil {", "if err := error(nil); err != nil {",
	}}},
}
