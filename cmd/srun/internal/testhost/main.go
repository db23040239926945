//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The stages, in the order of the package comment.
const (
	stageOutside = ""
	stageMachine = "machine"
	stageInit    = "init"
	stageHosts   = "hosts"
	stageTests   = "tests"
)

const (
	stageVar = "SRUN_TESTHOST_STAGE"
	dirVar   = "SRUN_TESTHOST_DIR"
	whoVar   = "SRUN_TESTHOST_WHO"
)

// Main runs the tests of m on hosts of their own, once as root and once as an
// ordinary user, and exits with their status. It never returns.
func Main(m *testing.M) {
	stage := os.Getenv(stageVar)
	if stage == stageTests || stage == stageOutside && withoutHosts(os.Args[1:]) {
		os.Exit(m.Run())
	}
	os.Exit(runStage(stage, twice{}))
}

// A job is what the hosts are there for.
type job interface {
	// run does the job in the hosts stage and returns an exit status.
	run(machine) int
}

// runStage does what the process of that stage is for and returns its exit
// status.
func runStage(stage string, j job) int {
	status, err := 1, error(nil)
	switch stage {
	case stageOutside:
		status, err = outside()
	case stageMachine:
		status, err = machineStage()
	case stageInit:
		status, err = initStage()
	case stageHosts:
		status, err = hostsStage(j)
	default:
		err = fmt.Errorf("unknown stage %q in %s", stage, stageVar)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testhost:", err)
		return max(status, 1)
	}
	return status
}

// withoutHosts reports whether go test asked for something that runs no test
// or that speaks to its parent over inherited files, as fuzzing does.
func withoutHosts(args []string) bool {
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case name == "test.list", name == "test.fuzz", name == "test.fuzzworker":
			return true
		case name == "test.run" && value == "^$":
			return true
		}
	}
	return false
}

// next returns the command that runs this binary again as stage.
func next(binary, stage, dir string) *exec.Cmd {
	cmd := exec.Command(binary, os.Args[1:]...)
	cmd.Env = append(os.Environ(), stageVar+"="+stage, dirVar+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// exitStatus turns the outcome of a finished command into an exit status. An
// error means that it never ran.
func exitStatus(err error) (int, error) {
	if exit, ok := err.(*exec.ExitError); ok {
		if exit.ExitCode() >= 0 {
			return exit.ExitCode(), nil
		}
		return 1, fmt.Errorf("stage ended: %w", err)
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
