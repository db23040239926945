package main

// leaveOut is for mounts that meet a condition, in their place for others.
func leaveOut(condition string) []edit {
	return []edit{{"linux/box/encode.go", "\t\tdata := op.Path\n", "\t\tif " + condition + " {\n\t\t\tcontinue\n\t\t}\n\t\tdata := op.Path\n"}}
}

var mountLayers = []layer{
	{name: "readonly", what: "everything but the roots is on read-only mounts", edits: []edit{{
		"linux/box/mounts.c",
		"return set_flags(AT_FDCWD, path, op->b ? 0 : AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);",
		"return op->b ? set_flags(AT_FDCWD, path, 0, MOUNT_ATTR_RDONLY, 0) : 0;",
	}}},
	{name: "seal", what: "a read-only mount on a denied path inside a root", edits: leaveOut("op.Kind == plan.OpBindRO")},
	{name: "hide", what: "an empty mount over what may not be read", edits: leaveOut("op.Kind == plan.OpMask && op.Slot == 0 || op.StandIn")},
	{name: "pin", what: "a mount on each directory above a denied path", edits: leaveOut("op.Kind == plan.OpPin")},
	{name: "keeper", what: "covers again what the host replaces", edits: []edit{{
		"linux/plan/plan.go", "if op.Kind == OpMask || op.StandIn {", "if false {",
	}}},
	{name: "lend", what: "standard input anew, on a read-only mount", edits: []edit{{
		"linux/box/stdio.go", "if !couldReopen(fd, &st) {", "if true {",
	}}},
	{name: "nolinks", what: "init follows no symbolic link to what it mounts on (RESOLVE_NO_SYMLINKS)", edits: []edit{{
		"linux/box/trees.c",
		".resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS }",
		".resolve = 0 }",
	}}},
	{name: "inodes", what: "init and Landlock take a directory by its inode, not by its name alone", edits: []edit{
		{"linux/box/plan.c", "if (op->a == 0)", "if (1 || op->a == 0)"},
		{"linux/box/landlock.go", "r.ID != (plan.FileID{}) && r.ID != hostfs.Identity(&st)", "false && r.ID != hostfs.Identity(&st)"},
	}},
}
