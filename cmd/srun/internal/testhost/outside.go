//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// outside builds what the tests run, starts the machine stage and cleans up
// after it, however it ended.
func outside() (int, error) {
	// Not under /tmp or /var/tmp, which a sandbox has of its own.
	dir, err := os.MkdirTemp("/srv", "srun-test-")
	if err != nil {
		return 1, err
	}
	defer removeDir(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	if err := build(dir); err != nil {
		return 1, err
	}

	// The terminal's ^C goes to every process of its group. This one waits for
	// the others and then removes dir.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	cmd, err := asRoot(next(filepath.Join(dir, "bin", "tests"), stageMachine, dir))
	if err != nil {
		return 1, err
	}
	status, err := exitStatus(cmd.Run())
	return status, saveCoverage(dir, status, err)
}

// asRoot wraps cmd in sudo when this process is not root.
func asRoot(cmd *exec.Cmd) (*exec.Cmd, error) {
	if os.Geteuid() == 0 {
		return cmd, nil
	}
	if err := exec.Command("sudo", "-n", "true").Run(); err != nil {
		return nil, fmt.Errorf("the end-to-end tests need root or sudo without a password: sudo -n true: %w", err)
	}
	args := append([]string{"-n", "env"}, cmd.Env...)
	sudo := exec.Command("sudo", append(args, cmd.Args...)...)
	sudo.Stdin, sudo.Stdout, sudo.Stderr = cmd.Stdin, cmd.Stdout, cmd.Stderr
	return sudo, nil
}

// BinaryVar names a srun to test in place of the one that would be built.
const BinaryVar = "SRUN_TEST_BINARY"

// build puts the programs of a test run into dir/bin: srun as it is shipped,
// the tests' own binary, and the helpers.
func build(dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	srun := exec.Command("make", "-s", "build", "OUT="+bin+"/srun")
	if path := os.Getenv(BinaryVar); path != "" {
		srun = exec.Command("cp", path, bin+"/srun")
	}
	// Static, so that it resolves names as most Go programs do.
	helper := exec.Command("go", "build", "-o", bin+"/probe", "./cmd/srun/internal/testhost/helper")
	helper.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{
		exec.Command("cp", self, bin+"/tests"),
		srun,
		helper,
		exec.Command("ln", "-s", "probe", bin+"/pty"),
		fileCalls(root, bin+"/filecalls"),
	} {
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
	}
	return nil
}

// fileCalls compiles filecalls so that what it passes to the kernel lies below
// 4 GiB, where i386 calls reach it, and so that a call may use the stack.
func fileCalls(root, out string) *exec.Cmd {
	sources, _ := filepath.Glob(filepath.Join(root, "cmd/srun/internal/testhost/filecalls/*.c"))
	args := []string{"-O1", "-std=gnu11", "-D_FILE_OFFSET_BITS=64", "-Wall", "-Wextra", "-Wshadow", "-Werror",
		"-static", "-fno-pie", "-no-pie", "-pthread", "-o", out}
	if runtime.GOARCH == "amd64" {
		args = append(args, "-mno-red-zone")
	}
	return exec.Command("cc", append(args, sources...)...)
}

// moduleRoot returns the directory of go.mod at or above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		if dir == "/" {
			return "", fmt.Errorf("no go.mod at or above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// saveCoverage copies the profile of the tests to where go test waits for it.
func saveCoverage(dir string, status int, err error) error {
	profile, readErr := os.ReadFile(filepath.Join(dir, coverName))
	if readErr != nil || err != nil {
		return err
	}
	for _, arg := range os.Args[1:] {
		if path, ok := strings.CutPrefix(arg, coverFlag); ok {
			return os.WriteFile(path, profile, 0o644)
		}
	}
	return nil
}

func removeDir(dir string) {
	if os.Getenv("SRUN_TEST_KEEP") != "" {
		fmt.Fprintln(os.Stderr, "testhost: kept", dir)
		return
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "testhost:", err)
	}
}

// machineStage starts process 1 of the new namespaces and empties dir of what
// root made in it, which the caller of sudo could not.
func machineStage() (int, error) {
	dir := os.Getenv(dirVar)
	if os.Getenv("SRUN_TEST_KEEP") == "" {
		defer removeRootsPart(dir)
	}
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)

	// Pdeathsig watches the thread that forked, so that thread must stay.
	runtime.LockOSThread()
	cmd := next(filepath.Join(dir, "bin", "tests"), stageInit, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
	}
	return exitStatus(cmd.Run())
}

func removeRootsPart(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Name() != "bin" && entry.Name() != coverName {
			os.RemoveAll(filepath.Join(dir, entry.Name()))
		}
	}
}

// initStage is process 1: it starts the hosts stage and reaps until that ends.
// When it goes, the kernel ends every other process of the namespace.
func initStage() (int, error) {
	dir := os.Getenv(dirVar)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return 1, fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return 1, fmt.Errorf("mount /proc: %w", err)
	}
	hosts := next(filepath.Join(dir, "bin", "tests"), stageHosts, dir)
	if err := hosts.Start(); err != nil {
		return 1, err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 1, fmt.Errorf("wait: %w", err)
		case pid == hosts.Process.Pid && status.Signaled():
			return 1, fmt.Errorf("hosts stage killed by %v", status.Signal())
		case pid == hosts.Process.Pid:
			return status.ExitStatus(), nil
		}
	}
}
