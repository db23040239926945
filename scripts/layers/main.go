// Command layers leaves out srun's protections one at a time, runs the attack
// suite without each, and notes which of its tests fail: those have their promise
// from that layer alone. It writes docs/layers.json, from which go test ./docs
// -update makes docs/layers.md.
//
//	go run ./scripts/layers                            every row, in an hour or two
//	go run ./scripts/layers -only landlock,dumpable    that row; the others stay
//	go run ./scripts/layers -without seal -o /tmp/srun only build
//
// A row of several layers leaves all of them out together, to show that they hold
// the same.
//
// # Limitations
//
// The scripts run as an ordinary user unless -as says otherwise: what they try
// succeeds, and as root could change devices and settings of this machine. With
// -as root they get device files of their own.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	list := flag.String("without", "", "only build srun without these `layers`")
	out := flag.String("o", "bin/srun-without", "the `file` for -without")
	only := flag.String("only", "", "only these `rows`, separated by spaces")
	as := flag.String("as", "user", "run the scripts as this `user`: user or root")
	limit := flag.Duration("limit", 5*time.Minute, "for the tests of one row")
	log := flag.String("log", os.DevNull, "a `file` for what the tests print")
	flag.Parse()
	err := checkHost(*as)
	if err == nil && *list != "" {
		err = buildOnly(*list, *out)
	} else if err == nil {
		err = measure(*only, *as, *limit, *log)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
}

func buildOnly(list, out string) error {
	root, dir, err := places()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	v, err := newVariant(root, dir, list)
	if err != nil {
		return err
	}
	return v.build(out)
}

// places are the module's root, and a new directory.
func places() (root, dir string, err error) {
	b, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", "", fmt.Errorf("go list: %w", err)
	}
	dir, err = os.MkdirTemp("", "srun-layers-")
	return string(b[:len(b)-1]), dir, err
}

// measure does rows and puts them into the table, one after another.
func measure(only, as string, limit time.Duration, log string) error {
	root, dir, err := places()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	s := &suite{root, as, limit, file}
	for _, row := range chosen(only) {
		begun := time.Now()
		tests, err := s.row(dir, row)
		if err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		fmt.Printf("%-24s %-4s %4.0fs %q\n", row, as, time.Since(begun).Seconds(), tests)
		if err := note(root, row, as, tests); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) row(dir, row string) ([]string, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	v, err := newVariant(s.root, dir, row)
	if err != nil {
		return nil, err
	}
	srun := filepath.Join(dir, "srun")
	if err := v.build(srun); err != nil {
		return nil, err
	}
	return s.noticed(v, srun)
}
