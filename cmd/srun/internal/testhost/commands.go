//go:build linux

package testhost

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rogpeppe/go-internal/testscript"
)

// status runs a command and checks its exact exit status, or the name of the
// signal that it dies of.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N|SIGNAL command [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = strconv.Itoa(exit.ExitCode())
		if ended := exit.Sys().(syscall.WaitStatus); ended.Signaled() {
			got = unix.SignalName(ended.Signal())
		}
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

func gone(ts *testscript.TestScript, neg bool, args []string) {
	text := onlyArg(ts, neg, args, "gone TEXT")
	var found string
	if !poll(grace, func() bool { found = findProcess(text); return found == "" }) {
		ts.Fatalf("still running: %s", found)
	}
}

func alive(ts *testscript.TestScript, neg bool, args []string) {
	text := onlyArg(ts, neg, args, "alive TEXT")
	if !poll(10*time.Second, func() bool { return findProcess(text) != "" }) {
		ts.Fatalf("no process has %q on its command line", text)
	}
}

func appears(ts *testscript.TestScript, neg bool, args []string) {
	file := ts.MkAbs(onlyArg(ts, neg, args, "appears FILE"))
	exists := func() bool { _, err := os.Lstat(file); return err == nil }
	if !poll(10*time.Second, exists) {
		ts.Fatalf("%s did not appear", file)
	}
}

// seen looks into the servers' records. A line may come a moment later than
// the client's own success.
func seen(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] seen REGEXP")
	}
	line, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	recorded := func() bool { return line.MatchString(ts.ReadFile(ts.Getenv("RECORDS"))) }
	if neg {
		time.Sleep(100 * time.Millisecond)
		if recorded() {
			ts.Fatalf("the servers saw %q", line.FindString(ts.ReadFile(ts.Getenv("RECORDS"))))
		}
		return
	}
	if !poll(grace, recorded) {
		ts.Fatalf("the servers saw no line like %q", args[0])
	}
}

func onlyArg(ts *testscript.TestScript, neg bool, args []string, usage string) string {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: %s", usage)
	}
	return args[0]
}

// poll polls until happened or the limit has passed.
func poll(limit time.Duration, happened func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		if happened() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// findProcess returns a living process with text on its command line, other
// than the tests' own.
func findProcess(text string) string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		cmdline, err := os.ReadFile(file)
		words := strings.ReplaceAll(string(cmdline), "\x00", " ")
		if err == nil && strings.Contains(words, text) && !strings.HasPrefix(words, Dir()+"/bin/tests ") {
			return filepath.Base(filepath.Dir(file)) + " " + words
		}
	}
	return ""
}

// manifest writes one line for everything below a directory.
func manifest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: manifest DIR FILE")
	}
	root := ts.MkAbs(args[0])
	var out strings.Builder
	ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %s %s\n", info.Mode(), name, content(path, info.Mode()))
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out.String()), 0o644))
}

// content is a short stand-in for what a file holds.
func content(path string, mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Sprint(errors.Unwrap(err)) // without the path, which has DIR in it
		}
		return fmt.Sprintf("%x", sha256.Sum256(data))[:16]
	case mode&fs.ModeSymlink != 0:
		target, _ := os.Readlink(path)
		return "-> " + target
	}
	return ""
}
