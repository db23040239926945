//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A machine is what the hosts stage has built.
type machine struct {
	dir  string // everything of this run: programs, keys, records, work
	repo string // the module's source, mounted read-only where the user can read it
	cwd  string // the working directory of go test, in repo
	user account
}

// hostsStage builds the machine and its network and does the job there.
func hostsStage(j job) (int, error) {
	m := machine{dir: os.Getenv(dirVar)}
	m.repo = filepath.Join(m.dir, "repo")
	root, err := moduleRoot()
	if err != nil {
		return 1, err
	}
	if m.cwd, err = m.inRepo(root); err != nil {
		return 1, err
	}
	if m.user, err = freeAccount(); err != nil {
		return 1, err
	}
	if err := mountMachine(m, root); err != nil {
		return 1, fmt.Errorf("mounts: %w", err)
	}
	servers, err := makeNetwork()
	if err != nil {
		return 1, fmt.Errorf("network: %w", err)
	}
	if err := startServers(m, servers); err != nil {
		return 1, fmt.Errorf("servers: %w", err)
	}
	return j.run(m), nil
}

// The two ways in which every test runs.
const (
	asRootUser = "root"
	asOrdinary = "user"
)

// twice is the job of [Main].
type twice struct{}

func (twice) run(m machine) int {
	worst := 0
	for _, who := range []string{asRootUser, asOrdinary} {
		if only := os.Getenv("SRUN_TEST_AS"); only != "" && only != who {
			continue
		}
		worst = max(worst, m.pass(who))
	}
	return worst
}

// pass runs the tests once and looks for what they left behind.
func (m machine) pass(who string) int {
	fmt.Printf("testhost: as %s\n", who)
	if err := m.mountSmall(who); err != nil {
		fmt.Fprintln(os.Stderr, "testhost:", err)
		return 1
	}
	before := census()
	status, err := exitStatus(m.tests(who))
	if err != nil {
		fmt.Fprintln(os.Stderr, "testhost:", err)
	}
	for _, left := range before.leftovers() {
		fmt.Printf("--- FAIL: leftover of the tests as %s: %s\n", who, left)
		status = max(status, 1)
	}
	return status
}

// tests runs the test binary as who, without a controlling terminal.
func (m machine) tests(who string) error {
	work, err := m.workDir(who)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(m.dir, "bin", "tests"), testArgs(who, m.dir)...)
	cmd.Dir = m.cwd
	cmd.Env = m.environ(who, work)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: m.credential(who)}
	return cmd.Run()
}

// credential is nil for root.
func (m machine) credential(who string) *syscall.Credential {
	if who == asRootUser {
		return nil
	}
	return &syscall.Credential{Uid: m.user.id, Gid: m.user.id}
}

func (m machine) workDir(who string) (string, error) {
	work := filepath.Join(m.dir, "work-"+who)
	if err := os.Mkdir(work, 0o755); err != nil {
		return "", err
	}
	if who == asRootUser {
		return work, nil
	}
	return work, os.Chown(work, int(m.user.id), int(m.user.id))
}

// inRepo is the working directory, seen through the mount that everyone can
// read.
func (m machine) inRepo(root string) (string, error) {
	cwd, err := os.Getwd()
	return filepath.Join(m.repo, strings.TrimPrefix(cwd, root)), err
}

// environ is what the tests see of the environment of go test: the few
// variables that steer Go's own tools, and nothing of the person's.
func (m machine) environ(who, work string) []string {
	env := []string{
		stageVar + "=" + stageTests, dirVar + "=" + m.dir, whoVar + "=" + who,
		"PATH=" + m.dir + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + work, "TMPDIR=" + work, "LANG=C.UTF-8",
	}
	for _, name := range []string{"GORACE", "GOTRACEBACK", "GODEBUG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

const (
	coverFlag = "-test.coverprofile="
	coverName = "cover.out"
)

// testArgs are the test binary's arguments: those of go test without the files
// to write, which lie out of the tests' reach. Root's coverage profile goes to
// dir; without -test.testlogfile go test does not cache the result, which
// depends on more than it can know.
func testArgs(who, dir string) []string {
	var args []string
	for _, arg := range os.Args[1:] {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "-test.coverprofile":
			if who == asRootUser {
				args = append(args, coverFlag+filepath.Join(dir, coverName))
			}
		case "-test.testlogfile", "-test.outputdir", "-test.gocoverdir", "-test.cpuprofile",
			"-test.memprofile", "-test.blockprofile", "-test.mutexprofile", "-test.trace":
		default:
			args = append(args, arg)
		}
	}
	return args
}

// readOnlyBind shows what is at source also at target, for reading only.
func readOnlyBind(source, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}
