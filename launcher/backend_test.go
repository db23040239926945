package launcher

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"srun/policy"
)

// fakeBackend has a sandbox in which a function runs in the command's place.
type fakeBackend struct {
	failing error
	command func(*fakeProcess) syscall.WaitStatus
	run     Run
}

func (*fakeBackend) Capabilities() policy.Capabilities { return policy.Capabilities{} }
func (*fakeBackend) Probe() []Check                    { return nil }
func (b *fakeBackend) Plan(w Work) (Plan, error)       { return &fakePlan{b, w}, nil }

type fakePlan struct {
	*fakeBackend
	work Work
}

func (p *fakePlan) Rules() []Rule { return nil }
func (p *fakePlan) Own() Own {
	return Own{TempDir: "/private", ProxyPort: 61080, Ports: []uint16{61080}}
}

func (p *fakePlan) Start(r Run) (Process, error) {
	if p.failing != nil {
		return nil, p.failing
	}
	p.run = r
	owner := func(net.Conn) (int, string) { return 7, "fake" }
	if err := r.Meanwhile(owner); err != nil {
		return nil, err
	}
	f := &fakeProcess{run: r, signals: make(chan syscall.Signal, 8), done: make(chan struct{})}
	f.doors = newFakeDoors()
	go func() {
		defer close(f.done)
		f.status = p.command(f)
		r.Events.CommandEnded()
	}()
	return f, nil
}

// fakeProcess is the fake command; its door is a listener on loopback.
type fakeProcess struct {
	run     Run
	doors   *fakeDoors
	signals chan syscall.Signal
	done    chan struct{}
	status  syscall.WaitStatus
	mu      sync.Mutex
	told    []string
}

func (f *fakeProcess) Refused() []uint16 { return nil }

func (f *fakeProcess) say(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, what)
	return nil
}

func (f *fakeProcess) Doors() Doors                      { return f.doors }
func (f *fakeProcess) Dial(uint16) (net.Conn, error)     { return nil, errors.New("nobody listens") }
func (f *fakeProcess) Listening() []uint16               { return nil }
func (f *fakeProcess) Forward(uint16) error              { return f.say("forward") }
func (f *fakeProcess) Signal(s syscall.Signal) error     { f.signals <- s; return nil }
func (f *fakeProcess) Pause() error                      { return f.say("pause") }
func (f *fakeProcess) Held() bool                        { f.say("held"); return true }
func (f *fakeProcess) Resume() error                     { return f.say("resume") }
func (f *fakeProcess) HasGroup(int) bool                 { return false }
func (f *fakeProcess) Kill() error                       { f.signals <- syscall.SIGKILL; return nil }
func (f *fakeProcess) Wait() (syscall.WaitStatus, error) { <-f.done; return f.status, nil }

type fakeDoors struct {
	net.Listener
	called atomic.Bool
}

func newFakeDoors() *fakeDoors {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return &fakeDoors{Listener: l}
}

func (d *fakeDoors) Serve(open func(Door)) error {
	d.called.Store(true)
	open(Door{Kind: DoorProxy, Stream: d.Listener})
	return nil
}
func (d *fakeDoors) Called() bool  { return d.called.Load() }
func (d *fakeDoors) Waiting() bool { return false }
func (d *fakeDoors) Close()        { d.Listener.Close() }

func fakeCmd(t *testing.T, b *fakeBackend) *Cmd {
	t.Helper()
	dir := t.TempDir()
	p, _, err := policy.Load(policy.Options{Dir: dir, Home: dir, GOOS: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	c := Command(p, "fake")
	c.Backend = b
	return c
}

const exited7 = syscall.WaitStatus(7 << 8)

// What a backend is handed, and what becomes of what it says.
func TestBackend(t *testing.T) {
	var refused *http.Response
	b := &fakeBackend{command: func(f *fakeProcess) syscall.WaitStatus {
		proxy := &url.URL{Scheme: "http", Host: f.doors.Addr().String()}
		client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
		resp, err := client.Get("http://refused.test/")
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			refused = resp
		}
		f.run.Events.CommandStopped(syscall.SIGTSTP)
		f.run.Events.DeniedFile(FileDenial{Operation: "unix-socket", Path: "/run/x.sock", PID: 7, Command: "fake"})
		f.run.Events.DeniedFile(FileDenial{Operation: "write", Path: "/etc/x", Ruled: "/etc/x", Grant: "/etc/x"})
		return exited7
	}}
	c := fakeCmd(t, b)
	c.Env, c.Withheld = []string{"A=b", "TMPDIR=/tmp"}, []int{9}
	var denials []string
	c.Denied = func(d Denial) { denials = append(denials, d.Operation+" "+d.Target+" "+d.Command) }
	var stopped syscall.Signal
	c.Stopped = func(s syscall.Signal) { stopped = s }
	err := c.Run()
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code() != 7 {
		t.Errorf("Run: %v; want status 7", err)
	}
	if refused == nil || refused.StatusCode != http.StatusForbidden {
		t.Errorf("through the door: %+v; want 403", refused)
	}
	want := []string{"network refused.test:80 fake", "unix-socket /run/x.sock fake", "write /etc/x "}
	if !slices.Equal(denials, want) || stopped != syscall.SIGTSTP {
		t.Errorf("told %q and %v; want %q", denials, stopped, want)
	}
	for _, kv := range []string{"A=b", "TMPDIR=/private", "HTTP_PROXY=http://127.0.0.1:61080"} {
		if !slices.Contains(b.run.Env, kv) {
			t.Errorf("%s is not in %q", kv, b.run.Env)
		}
	}
	if !slices.Equal(b.run.Withheld, []int{9}) || b.run.Stdio[0] == nil {
		t.Errorf("handed %+v", b.run)
	}
}

// A backend that fails has nothing run, and its error stays.
func TestBackendFails(t *testing.T) {
	failing := errors.New("no such host")
	if err := fakeCmd(t, &fakeBackend{failing: failing}).Run(); !errors.Is(err, failing) {
		t.Errorf("Run: %v", err)
	}
	c := fakeCmd(t, &fakeBackend{command: func(*fakeProcess) syscall.WaitStatus { return 0 }})
	c.Starting = func() error { return failing }
	if err := c.Run(); !errors.Is(err, failing) {
		t.Errorf("Run with a Starting that fails: %v", err)
	}
}

// The time limit asks first, and then kills; a context kills.
func TestBackendEnds(t *testing.T) {
	stubborn := func(f *fakeProcess) syscall.WaitStatus {
		for s := range f.signals {
			f.say(s.String())
			if s == syscall.SIGKILL {
				break
			}
		}
		return syscall.WaitStatus(syscall.SIGKILL)
	}
	c := fakeCmd(t, &fakeBackend{command: stubborn})
	c.Policy.Limits.Timeout = 10 * time.Millisecond
	if err := c.Run(); !errors.Is(err, ErrTimeout) {
		t.Errorf("Run: %v; want the time limit", err)
	}
	if told := strings.Join(c.process.(*fakeProcess).told, " "); told != "terminated killed" {
		t.Errorf("signals: %s", told)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c = fakeCmd(t, &fakeBackend{command: stubborn})
	c.ctx = ctx
	c.Starting = func() error { time.AfterFunc(time.Millisecond, cancel); return nil }
	if err := c.Run(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v; want the context's error", err)
	}
}

// A question pauses the sandbox for as long as it takes.
func TestBackendPauses(t *testing.T) {
	b := &fakeBackend{command: func(f *fakeProcess) syscall.WaitStatus {
		<-f.signals
		return 0
	}}
	c := fakeCmd(t, b)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pause, err := c.Pause()
	if err != nil {
		t.Fatal(err)
	}
	if !pause.Held() {
		t.Error("not held")
	}
	pause.Resume()
	c.Signal(syscall.SIGUSR1)
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if told := c.process.(*fakeProcess).told; !slices.Equal(told, []string{"pause", "held", "resume"}) {
		t.Errorf("told %q", told)
	}
}
