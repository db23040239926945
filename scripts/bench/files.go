package main

import (
	"archive/tar"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// files measures what the sandbox costs a command that works on many files, and
// what many files or rules cost srun's start.
func files(srun string, pairs int, out string) error {
	small, big, empty := filepath.Join(out, "small"), filepath.Join(out, "big"), filepath.Join(out, "empty")
	huge, ruled := filepath.Join(out, "huge"), filepath.Join(out, "ruled")
	for _, dir := range []string{small, big, huge, ruled, empty} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := writeTar(filepath.Join(small, "files.tar"), 20_000); err != nil {
		return err
	}
	if err := checkout(filepath.Join(big, "repo"), 50_000); err != nil {
		return err
	}
	if err := checkout(filepath.Join(huge, "repo"), 200_000); err != nil {
		return err
	}
	settings := filepath.Join(out, "rules.json")
	if err := writeRules(settings, 10_000, ruled); err != nil {
		return err
	}
	run := func(name string, n int, dir string, command []string, goal float64) row {
		return row{name: name, pairs: n, srun: append([]string{srun, "--"}, command...), other: command, goal: goal, dir: dir}
	}
	untar := run("untar 20,000 files", max(pairs/8, 3), small, []string{"sh", "-c", "mkdir t && tar -C t -xf files.tar"}, 1.15)
	untar.makes = "t"
	status := repeat(5, []string{"git", "status"})
	bare := []string{srun, "--", "true"}
	for _, r := range []row{
		untar,
		run("git status, 50,000 files (5x)", max(pairs/8, 3), filepath.Join(big, "repo"), status, 1.03),
		{name: "true, in 200,000 files or none", pairs: pairs, srun: bare, other: bare, dir: filepath.Join(huge, "repo"), otherDir: empty},
		{name: "true, with 10,000 rules or none", pairs: max(pairs/4, 5), srun: []string{srun, "--settings", settings, "--", "true"}, other: bare, dir: ruled, otherDir: empty},
	} {
		if err := r.run(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// writeTar makes an archive of n files of a hundred bytes, a hundred a
// directory.
func writeTar(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	content := []byte(strings.Repeat("x", 100))
	for i := range n {
		h := &tar.Header{Name: fmt.Sprintf("d%d/f%d", i/100, i), Mode: 0o644, Size: int64(len(content))}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return w.Close()
}

// checkout makes a git checkout of n files.
func checkout(dir string, n int) error {
	script := fmt.Sprintf(`set -e; git init -q "$1"; cd "$1"
		for d in $(seq %d); do mkdir d$d; for f in $(seq 100); do echo $d $f >d$d/f$f; done; done
		git add .; git -c user.name=b -c user.email=b@example.com commit -qm files`, n/100)
	return exec.Command("sh", "-c", script, "sh", dir).Run()
}

// writeRules makes settings with n rules. A quarter is for files of dir, which it
// makes; the others are for paths that are not there.
func writeRules(path string, n int, dir string) error {
	var rules []string
	for i := range n / 2 {
		name := fmt.Sprintf("/usr/lib/srun-bench-%d", i)
		if i%4 == 0 {
			name = filepath.Join(dir, fmt.Sprint("denied", i))
			if err := os.WriteFile(name, nil, 0o644); err != nil {
				return err
			}
		}
		rules = append(rules, fmt.Sprintf("%q", name))
	}
	list := strings.Join(rules, ",")
	return os.WriteFile(path, []byte(`{"filesystem": {"denyWrite": [`+list+`], "denyRead": [`+list+`]}}`), 0o644)
}
