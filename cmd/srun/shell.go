package main

import (
	"path/filepath"
	"strings"
)

// shellOf returns the shell that srun is by the name that it was called by, such as
// srun-bash, and nil where it is srun: it serves as $SHELL, whose arguments are all
// the shell's. A login shell's name begins with a "-" (login(1)).
func shellOf(name string) []string {
	base, login := strings.CutPrefix(filepath.Base(name), "-")
	shell, ok := strings.CutPrefix(base, "srun-")
	switch {
	case !ok || shell != "sh" && shell != "bash" && shell != "zsh":
		return nil
	case login:
		return []string{shell, "-l"}
	}
	return []string{shell}
}
