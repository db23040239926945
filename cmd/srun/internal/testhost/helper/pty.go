//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a step may take.
const patience = 20 * time.Second

// pty runs a command on a new terminal, which is its controlling one, and
// follows the steps of a file. It prints all that the terminal showed and ends
// with the command's status. The steps, one a line:
//
//	expect TEXT     wait until TEXT is shown, after what was expected before
//	reject TEXT     fail if TEXT has been shown since
//	send TEXT       type TEXT; \r is enter, \x03 ^C, \x1a ^Z, \x04 ^D
//	resize COLS ROWS
//	signal NAME     send TERM, INT, KILL, STOP or CONT to the command
//	pause MS
//	hangup          close the terminal
//
// After the last step it waits for the command.
func pty(args []string) (int, error) {
	if len(args) < 2 {
		return 1, fmt.Errorf("usage: pty STEPS command [args...]")
	}
	steps, err := os.ReadFile(args[0])
	if err != nil {
		return 1, err
	}
	master, slave, err := openTerminal()
	if err != nil {
		return 1, err
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	slave.Close()

	t := &terminal{master: master, process: cmd.Process, closed: make(chan struct{})}
	go t.read()
	stepsErr := t.follow(string(steps))
	if stepsErr != nil {
		_ = cmd.Process.Kill()
	}
	waitErr := t.wait(cmd)
	fmt.Print(t.shown())
	if stepsErr != nil {
		return 1, stepsErr
	}
	return exitStatus(cmd, waitErr)
}

// exitStatus is the command's own, as a shell would put it.
func exitStatus(cmd *exec.Cmd, err error) (int, error) {
	if cmd.ProcessState == nil {
		return 1, err
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

func openTerminal() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlock terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("terminal's number: %w", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		return nil, nil, fmt.Errorf("terminal's size: %w", err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	return master, slave, err
}

// A terminal is seen from the side of the person before it.
type terminal struct {
	master  *os.File
	process *os.Process
	closed  chan struct{} // when nobody has the terminal open any more

	mu       sync.Mutex
	output   strings.Builder
	expected int // how much of output the last expect has passed
}

func (t *terminal) read() {
	defer close(t.closed)
	chunk := make([]byte, 4096)
	for {
		n, err := t.master.Read(chunk)
		t.mu.Lock()
		t.output.Write(chunk[:n])
		t.mu.Unlock()
		if err != nil {
			return // EIO: the last one has closed the terminal
		}
	}
}

func (t *terminal) shown() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.output.String()
}

// wait waits for the command, and then for what it had still to show. A
// process that it left behind may hold the terminal open: not for long.
func (t *terminal) wait(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		select {
		case <-t.closed:
		case <-time.After(500 * time.Millisecond):
		}
		return err
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-ended
		return nil
	}
}
