package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A suite runs tests against builds without some layers.
type suite struct {
	root  string
	as    string   // whom the scripts run as, user or root; goTests for those in Go
	tests []string // the only ones, or all
	limit time.Duration
	log   *os.File
}

// goTests are tests in Go, named TestEscape, of what no script can show.
const goTests = "go"

// goPackages have such tests.
var goPackages = []string{"./linux", "./linux/box", "./linux/filter/generate"}

// all is every test of the suite.
var all = []string{".*"}

var errLimit = errors.New("not every test ended within the limit")

// noticed returns which of some tests fail without the layers of a list. What had
// not ended within the limit is not known, and the error is errLimit.
func (s *suite) noticed(dir, list string, tests []string) ([]string, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	v, err := newVariant(s.root, dir, list)
	if err != nil {
		return nil, err
	}
	if s.as == goTests {
		return s.goTests(v, tests)
	}
	srun := filepath.Join(dir, "srun")
	if err := v.build(srun); err != nil {
		return nil, err
	}
	return s.scripts(srun, tests)
}

var (
	failedScript = regexp.MustCompile(`(?m)^\s*FAIL: testdata/script/escape-(\S+)\.txtar:`) // as it happens
	leftBehind   = regexp.MustCompile(`(?m)^\s*--- FAIL: TestScript/escape-(\S+)`)          // also by other failures
	endedScript  = regexp.MustCompile(`(?m)^\s*--- (?:PASS|FAIL|SKIP): TestScript/escape-(\S+)`)
	failedGo     = regexp.MustCompile(`(?m)^--- FAIL: TestEscape(\w+)`)
)

func (s *suite) scripts(srun string, names []string) ([]string, error) {
	out, err := s.test([]string{"SRUN_TEST_BINARY=" + srun, "SRUN_TEST_AS=" + s.as},
		"-parallel", "6", "-run", "TestScript/^escape-("+strings.Join(names, "|")+")$", "./cmd/srun")
	ended, failed := matches(endedScript, out), append(matches(failedScript, out), matches(leftBehind, out)...)
	if err != nil && len(ended)+len(failed) == 0 {
		return nil, fmt.Errorf("no script ran: %w\n%s", err, out[max(0, len(out)-1000):])
	}
	slices.Sort(failed)
	if failed = slices.Compact(failed); err != nil && len(ended) == 0 {
		return failed, errLimit
	}
	return failed, nil
}

func (s *suite) goTests(v *variant, names []string) ([]string, error) {
	pattern := "^TestEscape(" + strings.Join(names, "|") + ")$"
	out, err := s.test(nil, append([]string{"-overlay", v.overlay(), "-run", pattern}, goPackages...)...)
	if err != nil && !failedGo.Match(out) {
		return nil, fmt.Errorf("no test ran: %w\n%s", err, out)
	}
	return matches(failedGo, out), nil
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
