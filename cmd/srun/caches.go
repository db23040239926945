package main

import (
	"os"

	"srun/launcher"
	"srun/policy"
)

// removeCaches serves --clear-caches.
func (o *options) removeCaches(p *printer, opts policy.Options) int {
	pol, _, err := policy.Load(opts)
	if err != nil {
		p.line("%v", err)
		return statusFailed
	}
	busy, err := launcher.ClearCaches(pol, os.Environ(), o.clearCaches == "all")
	if err != nil {
		p.line("--clear-caches: %v", err)
		return statusFailed
	}
	if busy > 0 {
		p.line("--clear-caches: a run has caches, which stay (%d)", busy)
	}
	return 0
}
