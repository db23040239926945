package launcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"srun/policy"
	"srun/proxy"
)

// Cmd is a command to be run in a sandbox, once. Fields are set before Start.
type Cmd struct {
	Policy *policy.Policy

	// Args is the command with its arguments. Args[0] is looked up in PATH of
	// Env, inside the sandbox, unless it holds a slash.
	Args []string

	// Env is "NAME=value" each; nil is the calling process's own. The
	// policy's environment rules apply to it, and srun's own variables are
	// added (TMPDIR, the proxy's, SRUN).
	Env []string

	// Dir is the command's working directory and, by default, the one place
	// it may write; "" is the policy's.
	Dir string

	// WorkDir, when not nil, is the directory that Dir names, opened before its
	// name was found out; the run fails if the name has come to mean another.
	WorkDir *os.File

	// Stdin, Stdout and Stderr are as in os/exec: an *os.File is handed over
	// as it is, anything else through a pipe and a goroutine, and nil is the
	// null device. A file that is open for reading alone may be opened again for
	// the command; its position is the command's when Wait returns.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Withheld are descriptors that the command does not inherit. It gets no
	// other than Stdin, Stdout, Stderr and the pipes that this process was
	// started with.
	Withheld []int

	// Starting is called while the sandbox is being made: what a caller does
	// there costs no time. The command starts after it returned nil, and never
	// after an error. nil does nothing.
	Starting func() error

	// Words write what a library has no words for.
	Words Words

	// Denied is told of every refusal, one call at a time; nil is nobody.
	Denied func(Denial)

	// Trace has every file operation of the command watched, so that Denied is
	// told of refused files as well. That slows the command down; debuggers
	// inside do not work then.
	Trace bool

	// Ask answers for hosts that no rule decides, one call at a time; nil
	// denies them.
	Ask func(context.Context, Question) Answer

	// Stopped is told when the command was stopped by a signal, as by ^Z, so
	// that the caller can stop as well; nil ignores it.
	Stopped func(syscall.Signal)

	// Serves is told once when something in the sandbox first listens on a port that
	// nothing publishes; nil is nobody.
	Serves func(port uint16)

	// Warn is told, one line at a time, of what does not stop the run; nil is
	// nobody.
	Warn func(string)

	// Upstream is the proxy to leave through where the policy names none, as in
	// the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY; zero is none.
	Upstream Upstream

	// Audit gets one JSON line per network decision, each in one Write; nil is
	// nobody.
	Audit io.Writer

	// Backend enforces the policy; nil is this host's.
	Backend Backend

	ctx        context.Context
	ended      context.Context // over when the command is
	end        context.CancelFunc
	process    Process
	forward    forwarding
	endNetwork func() // once no process of the sandbox is left
	server     *proxy.Server
	opening    *opening // nil when TLS stays closed
	caches     caches
	temp       tempDir
	ownPorts   []uint16
	serves     sync.Once
	stdio      stdio
	mu         sync.Mutex // serialises Denied
	done       chan struct{}
	status     syscall.WaitStatus
	err        error
	timeout    *time.Timer
}

// Upstream is a corporate proxy: its URL for plain HTTP, its URL for all else,
// and the list of what goes past it. HTTPFrom and OtherFrom are what an error
// calls the two, such as HTTP_PROXY.
type Upstream struct{ HTTP, Other, NoProxy, HTTPFrom, OtherFrom string }

// Command returns a Cmd that runs name with arguments under a policy.
func Command(p *policy.Policy, name string, arg ...string) *Cmd {
	return CommandContext(context.Background(), p, name, arg...)
}

// CommandContext is like [Command]; when ctx ends, every process of the
// sandbox is killed.
func CommandContext(ctx context.Context, p *policy.Policy, name string, arg ...string) *Cmd {
	return &Cmd{Policy: p, Args: append([]string{name}, arg...), ctx: ctx}
}

// Run starts the command and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Start makes the sandbox and starts the command in it. After an error nothing
// of the command ran.
func (c *Cmd) Start() error {
	if c.done != nil {
		return errors.New("start: already started")
	}
	if err := c.check(); err != nil {
		return err
	}
	c.done = make(chan struct{})
	c.ended, c.end = context.WithCancel(context.Background())
	if err := c.stdio.open(c); err != nil {
		return err
	}
	err := c.start()
	c.stdio.closeChildEnds()
	if err != nil {
		c.stdio.abandon()
		return err
	}
	c.stdio.copy()
	c.supervise()
	return nil
}

func (c *Cmd) check() error {
	if c.Policy == nil || len(c.Args) == 0 {
		return errors.New("start: no policy or no command")
	}
	if c.Args[0] == "" {
		return fmt.Errorf("%q: %w", c.Args[0], ErrNotFound) // execve(2) of it is ENOENT
	}
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	if c.Dir == "" {
		c.Dir = c.Policy.Dir
	}
	if !filepath.IsAbs(c.Dir) {
		return fmt.Errorf("working directory %q: not an absolute path", c.Dir)
	}
	if _, err := os.Stat(c.Dir); err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	return c.ctx.Err()
}

// supervise waits in the background and keeps the limits on the run's time.
func (c *Cmd) supervise() {
	stop := context.AfterFunc(c.ctx, func() { c.process.Kill() })
	timedOut := make(chan struct{})
	if limit := c.Policy.Limits.Timeout; limit > 0 {
		c.timeout = time.AfterFunc(limit, func() { close(timedOut); c.terminate() })
	}
	go func() {
		defer close(c.done)
		defer c.caches.close()
		defer c.removeTemp()
		c.status, c.err = c.process.Wait()
		stop()
		if c.timeout != nil {
			c.timeout.Stop()
		}
		c.end()
		c.endNetwork()
		select {
		case <-timedOut:
			c.err = fmt.Errorf("%w: %v", ErrTimeout, c.Policy.Limits.Timeout)
		default:
		}
	}()
}

// killGrace is how long the command has to end by itself after SIGTERM.
const killGrace = 2 * time.Second

func (c *Cmd) terminate() {
	c.process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(killGrace):
		c.process.Kill()
	}
}

// Wait waits until every process of the sandbox is gone and everything that
// they wrote was copied. Its error is an [*ExitError] when the command failed,
// and holds [ErrTimeout] or the context's error when that is what ended it.
func (c *Cmd) Wait() error {
	if c.process == nil {
		return errors.New("wait: not started")
	}
	<-c.done
	copyErr := c.stdio.wait()
	switch {
	case c.err != nil:
		return c.err
	case c.ctx.Err() != nil && c.status.Signaled():
		return c.ctx.Err()
	case c.status != 0:
		return &ExitError{Status: c.status}
	}
	return copyErr
}

// Signal sends the command a signal. A signal that the caller's whole process
// group got at the same time reaches the command once.
func (c *Cmd) Signal(sig syscall.Signal) error {
	if c.process == nil {
		return errors.New("signal: not started")
	}
	return c.process.Signal(sig)
}

// A Pause is a while in which nothing runs in the sandbox.
type Pause struct{ process Process }

// Resume ends it.
func (p Pause) Resume() { p.process.Resume() }

// Held reports that nothing has run since it began. A command can have arranged to be
// continued; then what was asked on its terminal was not answered by the user alone.
func (p Pause) Held() bool { return p.process.Held() }

// Pause stops every process of the sandbox. An Ask that speaks to the user on a
// terminal which the command shares must pause it, and take an answer for one only
// where the pause held: the command could write over the question or read the answer.
func (c *Cmd) Pause() (p Pause, err error) {
	if c.process == nil {
		return p, errors.New("pause: not started")
	}
	return Pause{c.process}, c.process.Pause()
}

// HasGroup tells whether a process group is one of the sandbox's, such as the
// job that a shell inside put in the terminal's foreground.
func (c *Cmd) HasGroup(group int) bool { return c.process != nil && c.process.HasGroup(group) }

// Kill ends every process of the sandbox at once.
func (c *Cmd) Kill() error {
	if c.process == nil {
		return errors.New("kill: not started")
	}
	return c.process.Kill()
}

func (c *Cmd) denied(d Denial) {
	if c.Denied == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Denied(d)
}

func (c *Cmd) warn(format string, args ...any) {
	if c.Warn != nil {
		c.Warn(fmt.Sprintf(format, args...))
	}
}
