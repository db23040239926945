//go:build linux

package testhost

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// things is what exists on the machine at one time, each with words for a
// person.
type things map[string]string

// grace is how long what is ending may take to be gone.
const grace = 3 * time.Second

// census counts the processes, mounts, links, temporary files and cgroups.
func census() things {
	all := things{}
	all.processes()
	all.lines("/proc/self/mountinfo", "mount")
	all.lines("/proc/net/dev_snmp6", "link")
	for _, dir := range []string{"/tmp", "/run", "/dev/shm"} {
		all.files(dir)
	}
	all.cgroups()
	return all
}

// leftovers returns what exists now and did not at the time of the census.
func (before things) leftovers() []string {
	deadline := time.Now().Add(grace)
	for {
		var left []string
		for key, words := range census() {
			if _, known := before[key]; !known {
				left = append(left, words)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			slices.Sort(left)
			return left
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// processes are all of the PID namespace: nothing else runs in it.
func (t things) processes() {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		words := strings.TrimSpace(strings.ReplaceAll(string(cmdline), "\x00", " "))
		t[dir] = fmt.Sprintf("process %s %s (%s)", filepath.Base(dir), words, strings.TrimSpace(string(comm)))
	}
}

// lines are the lines of a file or the names in a directory.
func (t things) lines(path, kind string) {
	if entries, err := os.ReadDir(path); err == nil {
		for _, entry := range entries {
			t[kind+entry.Name()] = kind + " " + entry.Name()
		}
		return
	}
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		t[kind+line] = kind + " " + strings.TrimSpace(line)
	}
}

func (t things) files(root string) {
	_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			t[path] = "file " + path
		}
		return nil
	})
}

// cgroups are those with srun in the name: the rest of the tree is not ours.
func (t things) cgroups() {
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.Contains(entry.Name(), "srun") {
			t[path] = "cgroup " + path
		}
		return nil
	})
}
