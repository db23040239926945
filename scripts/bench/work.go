package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// work measures whole commands of everyday work that makes many files, and the
// single call of which they are made, on a disk and in memory.
func work(srun string, pairs int, out string) error {
	dir := filepath.Join(out, "work")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	run := func(name, dir, makes string, command []string, goal float64) row {
		return row{name: name, pairs: max(pairs/8, 3), srun: append([]string{srun, "--"}, command...), other: command, goal: goal, dir: dir, makes: makes}
	}
	for _, where := range []string{dir, memory} {
		if err := createRow(srun, self, dir, where); err != nil {
			return err
		}
	}
	var rows []row
	if err := checkout(filepath.Join(dir, "repo"), 5000); err != nil {
		return err
	}
	rows = append(rows, run("git clone, 5,000 files", dir, "c", []string{"git", "clone", "-q", "--no-local", "repo", "c"}, 1.15))
	for _, tool := range []struct {
		name, program string
		make          func(dir string) error
		makes, line   string
		goal          float64
	}{
		{"go build after an edit", "go", goModule, "", `echo "// $$" >>m.go; GOCACHE=$PWD/cache go build -o m .`, 1.03},
		{"npm ci, 200 packages", "npm", npmTree, "node_modules", "npm ci --offline --no-audit --no-fund --loglevel=error --cache $PWD/cache", 1.10},
	} {
		at := filepath.Join(dir, tool.program)
		if _, err := exec.LookPath(tool.program); err != nil {
			continue // not on this machine
		}
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		if err := tool.make(at); err != nil {
			return fmt.Errorf("%s: %w", tool.name, err)
		}
		rows = append(rows, run(tool.name, at, tool.makes, []string{"sh", "-c", tool.line}, tool.goal))
	}
	for _, r := range rows {
		if err := r.run(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// goModule makes a program that uses a part of the standard library, and builds
// it once.
func goModule(dir string) error {
	return inDir(dir, `printf 'module m\n\ngo 1.22\n' >go.mod
		printf 'package main\n\nimport "net/http"\n\nfunc main() { http.Get("") }\n' >m.go
		GOCACHE=$PWD/cache go build -o m .`)
}

// npmTree makes a project that needs 200 packages of 20 files, which lie in it.
func npmTree(dir string) error {
	return inDir(dir, `set -e
		mkdir tars
		printf '{"name":"p","version":"1.0.0","dependencies":{' >package.json
		for i in $(seq 200); do
			mkdir -p package/lib
			printf '{"name":"p%d","version":"1.0.0"}' $i >package/package.json
			for f in $(seq 20); do echo "exports.f = $i" >package/lib/f$f.js; done
			tar -czf tars/p$i.tgz package
			[ $i = 1 ] || printf ',' >>package.json
			printf '"p%d":"file:tars/p%d.tgz"' $i $i >>package.json
		done
		printf '}}' >>package.json
		npm install --package-lock-only --offline --no-audit --no-fund --loglevel=error --cache $PWD/cache`)
}

func inDir(dir, script string) error {
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// memory is a directory on a tmpfs, and the sandbox's own inside.
const memory = "/dev/shm"

// createArg has this program make and remove files when it starts itself again.
const createArg = "create-files"

// createRow measures what one open that makes a file takes in the middle. It stops
// at srun, which makes the file.
func createRow(srun, self, dir, where string) error {
	var took [2]time.Duration
	for i, words := range [][]string{{srun, "--allow-read", self, "--"}, nil} { // go run has this program in /tmp
		words = append(words, self, createArg, "5000", where)
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err == nil {
			took[i], err = time.ParseDuration(strings.TrimSpace(string(out)))
		}
		if err != nil {
			return fmt.Errorf("%v: %w", words, err)
		}
	}
	name := "open that makes a file, on disk"
	if where == memory {
		name = "the same, in memory"
	}
	us := func(d time.Duration) string { return fmt.Sprintf("%.1f us", float64(d)/float64(time.Microsecond)) }
	fmt.Printf("%-30s %10s %10s %7.3f\n", name, us(took[0]), us(took[1]), float64(took[0])/float64(took[1]))
	return nil
}

// createFiles makes empty files in a directory of its own, one after the other,
// and leaves them there if that is on a disk. It prints what one of them took in the middle.
func createFiles(count, where string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(where, "bench-")
	if err != nil {
		return err
	}
	if where == memory {
		defer os.RemoveAll(dir)
	}
	took := make([]time.Duration, 0, n)
	for i := range n {
		name := filepath.Join(dir, strconv.Itoa(i))
		begun := time.Now()
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		took = append(took, time.Since(begun))
		f.Close()
	}
	fmt.Println(median(took))
	return nil
}
