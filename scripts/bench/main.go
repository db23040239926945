// Command bench measures what srun costs beside bwrap and beside no sandbox,
// and its proxy beside others.
// The two commands of a row run in turn, so that what else the machine does
// falls on both, and each row prints the two medians and their ratio.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// A row compares two commands. The ratio is srun's median over the other's.
type row struct {
	name  string
	pairs int
	srun  []string
	other []string
	goal  float64

	dir, otherDir string // to run in; otherDir is dir unless set

	// makes is what the command makes anew. What the run before made is moved
	// aside: ext4 gives no inode again that was freed in the last minutes, and
	// looks at each of them for every file that is made.
	makes string
}

// servers are what this program is when it starts itself again to be measured:
// each serves an address and leads to a target; but for the one that makes files.
var servers = map[string]func(addr, target string) error{proxyArg: serveProxy, relayArg: serveRelay, createArg: createFiles}

func main() {
	srun := flag.String("srun", "bin/srun", "the `binary` to measure")
	scale := flag.Int("pairs", 40, "pairs of the shortest `rows`")
	part := flag.String("only", "", "measure only this `part`: commands, files, work or network")
	if serve := servers[os.Args[min(1, len(os.Args)-1)]]; serve != nil && len(os.Args) == 4 {
		if err := serve(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()

	if err := bench(*srun, *scale, *part); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(srun string, pairs int, part string) error {
	srun, err := filepath.Abs(srun)
	if err != nil {
		return err
	}
	out, err := os.MkdirTemp("", "srun-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	fmt.Printf("%-30s %10s %10s %7s %6s\n", "", "srun", "other", "ratio", "goal")
	for _, p := range []struct {
		name    string
		measure func() error
	}{
		{"commands", func() error { return commands(srun, pairs, out) }},
		{"files", func() error { return files(srun, pairs, out) }},
		{"work", func() error { return work(srun, pairs, out) }},
		{"network", func() error { return network(out) }},
	} {
		if part != "" && part != p.name {
			continue
		}
		if err := p.measure(); err != nil {
			return err
		}
	}
	return nil
}

// commands measures what a command costs in the sandbox.
func commands(srun string, pairs int, out string) error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return fmt.Errorf("go env GOCACHE: %w", err)
	}

	for _, r := range rows(srun, pairs, filepath.Join(out, "srun"), string(cache[:len(cache)-1])) {
		if err := r.run(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return peakMemory(srun)
}

func rows(srun string, pairs int, out, cache string) []row {
	bare := []string{srun, "--"}
	building := []string{srun, "--allow-write", cache, "--allow-write", filepath.Dir(out), "--"}
	beside := func(name string, pairs int, srun, command []string, goal float64) row {
		return row{name: name, pairs: pairs, srun: append(srun, command...), other: command, goal: goal}
	}
	bwrap := []string{"bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
		"--unshare-all", "--die-with-parent", "true"}
	status := []string{"git", "status"}
	build := []string{"go", "build", "-o", out, "./cmd/srun"}

	// Many in one run show what the sandbox costs a command that works; one in
	// a run is mostly srun's start.
	return []row{
		{name: "true, bwrap", pairs: pairs, srun: append(bare, "true"), other: bwrap, goal: 1.5},
		beside("true", pairs, bare, []string{"true"}, 0),
		beside("git status", pairs, bare, status, 0),
		beside("go build", max(pairs/4, 5), building, build, 0),
		beside("git status, 100 in a run", max(pairs/4, 5), bare, repeat(100, status), 1.03),
		beside("go build, 10 in a run", max(pairs/8, 5), building, repeat(10, build), 1.03),
	}
}

// repeat returns a command that runs another n times.
func repeat(n int, command []string) []string {
	loop := fmt.Sprintf(`for i in $(seq %d); do "$@" || exit; done`, n)
	return append([]string{"sh", "-c", loop, "sh"}, command...)
}

func (r row) run() error {
	var inside, outside []time.Duration
	for i := range r.pairs + 1 {
		first, err := r.elapsed(r.dir, r.srun)
		if err != nil {
			return err
		}
		second, err := r.elapsed(cmp.Or(r.otherDir, r.dir), r.other)
		if err != nil {
			return err
		}
		if i > 0 { // the first pair fills the caches
			inside, outside = append(inside, first), append(outside, second)
		}
	}
	a, b := median(inside), median(outside)
	fmt.Printf("%-30s %10s %10s %7.3f", fmt.Sprintf("%s (%d)", r.name, r.pairs), ms(a), ms(b), float64(a)/float64(b))
	if r.goal > 0 {
		fmt.Printf(" %6.2f", r.goal)
	}
	fmt.Println()
	return nil
}

func (r row) elapsed(dir string, args []string) (time.Duration, error) {
	if r.makes != "" {
		aside, err := os.MkdirTemp(filepath.Dir(dir), "aside-")
		if err == nil {
			err = os.Rename(filepath.Join(dir, r.makes), filepath.Join(aside, r.makes))
		}
		if err != nil && !os.IsNotExist(err) {
			return 0, err
		}
	}
	return elapsed(dir, args)
}

// elapsed runs args in a directory to its end, without its output, and returns
// how long the whole process took.
func elapsed(dir string, args []string) (time.Duration, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%v: %w", args, err)
	}
	return took, nil
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
