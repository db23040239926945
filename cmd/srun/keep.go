package main

import (
	"os"
	"path/filepath"
	"slices"
	"sync"

	"srun/launcher"
	"srun/policy"
	"srun/policy/pathtree"
)

// keeper writes the hosts of "don't ask again" to the local settings. A
// project without .srun gets it when the command has ended: while it runs, no
// mount holds a directory that was not there when the sandbox was made. The same
// goes for the trust record, where the command may write the home.
type keeper struct {
	opts    policy.Options
	print   *printer
	later   bool
	mu      sync.Mutex
	pending []policy.HostPort
}

// look finds out, before the command starts, whether keep has to wait. Every start
// waits for this, so a directory counts as writable where a rule might make it so.
func (k *keeper) look(pol *policy.Policy) {
	for _, dir := range append([]string{filepath.Join(pol.Project, ".srun")}, pol.OwnDirs...) {
		if _, err := os.Lstat(dir); err == nil {
			continue
		}
		writable := slices.ContainsFunc(pol.Filesystem.AllowWrite, func(r policy.PathRule) bool { return r.Glob || pathtree.Contains(r.Path, dir) })
		k.later = k.later || writable || filepath.Base(dir) == ".srun"
	}
}

// keep takes the host of an answered question.
func (k *keeper) keep(q launcher.Question) {
	if !k.later {
		k.write(q.Target)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = append(k.pending, q.Target)
}

// flush writes what had to wait for the end of the run.
func (k *keeper) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, target := range k.pending {
		k.write(target)
	}
}

func (k *keeper) write(target policy.HostPort) {
	path, err := policy.AllowAlways(k.opts, target)
	if err != nil {
		k.print.line("%v; %s is allowed for this run only", remedied(err), target.Host)
		return
	}
	k.print.line("%s is allowed from now on, by %s", target.Host, path)
}
