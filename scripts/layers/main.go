// Command layers leaves out srun's protections one at a time, runs the attack
// suite without each, and notes which of its tests fail: those have their promise
// from that layer alone. It writes docs/layers.json, from which go test ./docs
// -update makes docs/layers.md.
//
//	go run ./scripts/layers                            every row, in an hour or two
//	go run ./scripts/layers -only landlock,dumpable    that row; the others stay
//	go run ./scripts/layers -shipped                   only check that what is shipped has no switch
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
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	list := flag.String("without", "", "only build srun without these `layers`")
	out := flag.String("o", "bin/srun-without", "the `file` for -without")
	only := flag.String("only", "", "only these `rows`, separated by spaces")
	as := flag.String("as", "user,go", "run the scripts as user or root, and go for the Go `tests`")
	limit := flag.Duration("limit", 5*time.Minute, "for the tests of one row")
	tests := flag.String("tests", "", "only these `tests`, separated by spaces, without escape- or TestEscape")
	log := flag.String("log", os.DevNull, "a `file` for what the tests print")
	shipped := flag.Bool("shipped", false, "only check that srun as it is shipped is the source as it is")
	flag.Parse()
	if *shipped {
		exit(checkShipped())
	}
	who := strings.Split(*as, ",")
	err := checkHost(who)
	if err == nil && *list != "" {
		err = buildOnly(*list, *out)
	} else if err == nil {
		err = measure(*only, who, strings.Fields(*tests), *limit, *log)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
	os.Exit(0)
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
	if root = strings.TrimSpace(string(b)); err != nil || root == "" {
		return "", "", errors.New("run this in srun's source")
	}
	dir, err = os.MkdirTemp("", "srun-layers-")
	return root, dir, err
}

// measure does rows and puts them into the table, one after another.
func measure(only string, as, tests []string, limit time.Duration, log string) error {
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
	for _, who := range as {
		s := &suite{root, who, tests, limit, file}
		if err := s.rows(dir, chosen(only)); err != nil {
			return err
		}
	}
	return nil
}

// rows does some rows. What passes without all layers of a group passes without
// each of them: those are left out together first. So every test that counts has
// failed twice, for some depend on time.
func (s *suite) rows(dir string, rows []string) error {
	members := map[string][]string{}
	for _, row := range rows {
		members[groupOf(row)] = append(members[groupOf(row)], row)
	}
	candidates := map[string][]string{}
	for _, row := range rows {
		tests, err := s.candidates(dir, row, members[groupOf(row)], candidates)
		if err != nil {
			return err
		}
		failed, err := s.timed(dir, row, tests)
		if err != nil && !errors.Is(err, errLimit) {
			return err
		}
		if err := note(s.root, row, s.as, failed); err != nil {
			return err
		}
	}
	return nil
}

// candidates are the tests that could fail in a row.
func (s *suite) candidates(dir, row string, members []string, known map[string][]string) ([]string, error) {
	group := groupOf(row)
	switch {
	case len(s.tests) > 0:
		return s.tests, nil
	case group == "" || len(members) == 1:
		members = []string{row}
	case known[group] != nil:
		return known[group], nil
	}
	tests, err := s.timed(dir, strings.Join(members, ","), all)
	if errors.Is(err, errLimit) {
		tests, err = all, nil
	}
	known[group] = append([]string{}, tests...)
	return tests, err
}

// timed says on standard output what came of a list of layers.
func (s *suite) timed(dir, list string, tests []string) ([]string, error) {
	if len(tests) == 0 {
		fmt.Printf("%s: %s: nothing left that could fail\n", list, s.as)
		return nil, nil
	}
	begun := time.Now()
	failed, err := s.noticed(dir, list, tests)
	if err != nil {
		err = fmt.Errorf("%s: %w", list, err)
		fmt.Fprintln(os.Stderr, "layers:", err)
	}
	fmt.Printf("%s: %s: %.0f s: %q\n", list, s.as, time.Since(begun).Seconds(), failed)
	return failed, err
}
