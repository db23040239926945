//go:build linux

package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"srun/linux/plan"
	"srun/policy"
)

// BenchmarkNewPlan is planning's part of every start: the defaults, in an empty
// directory and in one with a repository.
func BenchmarkNewPlan(b *testing.B) {
	for _, name := range []string{"empty", "repository"} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			if name == "repository" {
				for _, sub := range []string{"hooks", "info", "objects", "refs"} {
					if err := os.MkdirAll(filepath.Join(dir, ".git", sub), 0o700); err != nil {
						b.Fatal(err)
					}
				}
				config := []byte("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = x\n")
				if err := os.WriteFile(dir+"/.git/config", config, 0o600); err != nil {
					b.Fatal(err)
				}
			}
			p, _, err := policy.Load(policy.Options{Dir: dir, Home: b.TempDir(), GOOS: "linux"})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := plan.New(p, dir, thisHost(b)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewPlanRules plans 10,000 rules of each list, a tenth of them for
// paths that are not there.
func BenchmarkNewPlanRules(b *testing.B) {
	const n = 10_000
	dir := b.TempDir()
	paths := make([]string, n)
	for i := range paths {
		paths[i] = fmt.Sprintf("%s/%d/%d", dir, i%100, i)
		if err := os.MkdirAll(filepath.Dir(paths[i]), 0o700); err != nil {
			b.Fatal(err)
		}
		if i%10 == 0 {
			continue
		}
		if err := os.WriteFile(paths[i], nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for name, fs := range map[string]policy.Filesystem{
		"denyWrite": {DenyWrite: pathRules(paths...)}, "denyRead": {DenyRead: pathRules(paths...)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := plan.New(&policy.Policy{Filesystem: fs}, dir, thisHost(b)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
