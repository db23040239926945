package main

import "srun/policy"

// trust records the project's settings files, and says what they allow.
func trust(p *printer, opts policy.Options) int {
	files, err := policy.Trust(opts)
	if err != nil {
		p.line("%v", remedied(err))
		return statusFailed
	}
	if len(files) == 0 {
		p.line("this project has no settings files to trust")
	}
	for _, f := range files {
		p.line("trusted %s", f)
	}
	if pol, _, err := policy.Load(opts); err == nil {
		for _, r := range loosened(pol, files) {
			p.line("  %s %s (%s)", r.Effect, r.Target, r.Source)
		}
	}
	return 0
}
