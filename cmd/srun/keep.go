package main

import (
	"os"
	"path/filepath"
	"sync"

	"srun/launcher"
	"srun/policy"
)

// keeper writes the hosts of "don't ask again" to the local settings. A
// project without .srun gets it when the command has ended: while it runs, no
// mount holds a directory that was not there when the sandbox was made. The same
// goes for the trust record, where the command may write the home.
type keeper struct {
	opts    policy.Options
	later   bool
	mu      sync.Mutex
	pending []policy.HostPort
}

// look finds out, before the command starts, whether keep has to wait.
func (k *keeper) look(pol *policy.Policy) {
	for _, dir := range append([]string{filepath.Join(pol.Project, ".srun")}, pol.OwnDirs...) {
		_, err := os.Lstat(dir)
		writable := pol.WriteVerdict(filepath.Dir(dir)).Verdict == policy.Allowed
		k.later = k.later || err != nil && (writable || filepath.Base(dir) == ".srun")
	}
}

// keep takes the host of an answered question.
func (k *keeper) keep(q launcher.Question) error {
	if !k.later {
		return policy.AllowAlways(k.opts, q.Target)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = append(k.pending, q.Target)
	return nil
}

// flush writes what had to wait for the end of the run.
func (k *keeper) flush(p *printer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, target := range k.pending {
		if err := policy.AllowAlways(k.opts, target); err != nil {
			p.line("%v; %s was allowed for this run only", err, target.Host)
		}
	}
}
