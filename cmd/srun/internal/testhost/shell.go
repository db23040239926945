//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Shell runs the command of this process's arguments on the hosts, an
// interactive shell when there are none, and returns its exit status.
func Shell() int { return runStage(os.Getenv(stageVar), shellJob{}) }

type shellJob struct{}

func (shellJob) run(m machine) int {
	who := asOrdinary
	if os.Getenv("SRUN_TEST_AS") == asRootUser {
		who = asRootUser
	}
	status, err := exitStatus(m.shell(who, os.Args[1:]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "testhost:", err)
	}
	return status
}

func (m machine) shell(who string, args []string) error {
	if len(args) == 0 {
		args = []string{"bash", "-i"}
	}
	work, err := m.workDir(who)
	if err != nil {
		return err
	}
	proj, home := filepath.Join(work, "proj"), filepath.Join(work, "home")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = proj
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: m.credential(who)}
	cmd.Env = append(m.environ(who, work), "TERM="+os.Getenv("TERM"))
	for name, value := range m.scriptEnv(who, home) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	for _, dir := range []string{proj, home} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if who == asOrdinary {
			if err := os.Chown(dir, int(m.user.id), int(m.user.id)); err != nil {
				return err
			}
		}
	}
	return cmd.Run()
}
