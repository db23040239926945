package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A suite runs tests against a build without some layers.
type suite struct {
	root  string
	as    string // whom the scripts run as: root, user, "" for both
	limit time.Duration
	log   *os.File
}

// unitPackages have Go tests of what no script can show.
var unitPackages = []string{"./linux", "./linux/broker", "./linux/filter/generate"}

// noticed returns the tests that fail: twice, since some depend on time. tests
// that had not ended within the limit count as failed.
func (s *suite) noticed(v *variant, srun string) ([]string, error) {
	scripts, err := s.scripts(srun, "escape-.*")
	if err == nil && len(scripts) > 0 {
		scripts, err = s.scripts(srun, strings.Join(scripts, "|"))
	}
	if err != nil {
		return nil, err
	}
	units, err := s.units(v)
	return append(scripts, units...), err
}

var (
	failedScript = regexp.MustCompile(`(?m)^\s*--- FAIL: TestScript/(\S+)`)
	begunScript  = regexp.MustCompile(`(?m)^=== RUN\s+TestScript/(\S+)`)
	endedScript  = regexp.MustCompile(`(?m)^\s*--- (?:PASS|FAIL|SKIP): TestScript/(\S+)`)
	failedUnit   = regexp.MustCompile(`(?m)^--- FAIL: (TestEscape\S*)`)
)

func (s *suite) scripts(srun, pattern string) ([]string, error) {
	out, err := s.test([]string{"SRUN_TEST_BINARY=" + srun, "SRUN_TEST_AS=" + s.as},
		"-parallel", "6", "-run", "TestScript/^("+pattern+")$", "./cmd/srun")
	if err != nil && !endedScript.Match(out) {
		return nil, fmt.Errorf("no script ran: %w\n%s", err, out)
	}
	ended, failed := matches(endedScript, out), matches(failedScript, out)
	for _, name := range matches(begunScript, out) {
		if !slices.Contains(ended, name) {
			failed = append(failed, name)
		}
	}
	return failed, nil
}

func (s *suite) units(v *variant) ([]string, error) {
	out, err := s.test(nil, append([]string{"-overlay", v.overlay(), "-run", "^TestEscape"}, unitPackages...)...)
	if err != nil && !failedUnit.Match(out) {
		return nil, fmt.Errorf("no test ran: %w\n%s", err, out)
	}
	return matches(failedUnit, out), nil
}

// test runs go test and returns what it printed; the error is that a test failed,
// or that none could be run.
func (s *suite) test(env []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-v", "-timeout", s.limit.String()}, args...)...)
	cmd.Dir, cmd.Env = s.root, append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	fmt.Fprintf(s.log, "%s\n%s\n", cmd, out)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return bytes.ReplaceAll(out, []byte("\r"), nil), err
}

func matches(re *regexp.Regexp, text []byte) []string {
	var names []string
	for _, m := range re.FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
