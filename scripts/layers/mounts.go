package main

// leaveOut is for mounts that meet a condition, in their place for others.
func leaveOut(condition string) []edit {
	return []edit{{"linux/encode.go", "\t\tdata := op.Path\n", "\t\tif " + condition + " {\n\t\t\tcontinue\n\t\t}\n\t\tdata := op.Path\n"}}
}

var mountLayers = []layer{
	{name: "readonly", what: "everything but the roots is on read-only mounts", edits: []edit{{
		"linux/mounts.c",
		"return set_flags(AT_FDCWD, path, op->b ? 0 : AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);",
		"return op->b ? set_flags(AT_FDCWD, path, 0, MOUNT_ATTR_RDONLY, 0) : 0;",
	}}},
	{name: "seal", what: "a read-only mount on a denied path inside a root", edits: leaveOut("op.Kind == opSeal")},
	{name: "hide", what: "an empty mount over what may not be read", edits: leaveOut("op.Kind == opHide && op.Slot == 0 || op.standIn")},
	{name: "pin", what: "a mount on each directory above a denied path", edits: leaveOut("op.Kind == opPin")},
	{name: "keeper", what: "covers again what the host replaces", edits: []edit{{
		"linux/plan.go", "if op.Kind == opHide || op.standIn {", "if false {",
	}}},
	{name: "lend", what: "standard input anew, on a read-only mount", edits: []edit{{
		"linux/lent.go", "if !couldLend(fd, &st) {", "if true {",
	}}},
	{name: "nolinks", what: "init follows no symbolic link to what it mounts on (RESOLVE_NO_SYMLINKS)", edits: []edit{{
		"linux/trees.c",
		".resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS }",
		".resolve = 0 }",
	}}},
	{name: "inodes", what: "init and Landlock take a directory by its inode, not by its name alone", edits: []edit{
		{"linux/plan.c", "if (op->a == 0)", "if (1 || op->a == 0)"},
		{"linux/landlock.go", "r.id != (FileID{}) && r.id != identity(&st)", "false && r.id != identity(&st)"},
	}},
}
