//go:build linux

package launcher

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"srun/policy"
)

// asUser marks the second run of the tests, as an ordinary user.
const asUser = "SRUN_LAUNCHER_TEST_AS_USER"

// TestMain runs the tests a second time as an ordinary user when it is root.
func TestMain(m *testing.M) {
	if os.Getenv(asUser) != "" {
		os.Exit(m.Run())
	}
	// Not below /tmp, which a sandbox has of its own.
	dir, err := os.MkdirTemp("/srv", "srun-launcher-")
	if err != nil {
		home, _ := os.UserHomeDir()
		if dir, err = os.MkdirTemp(home, "srun-launcher-"); err != nil {
			panic(err)
		}
	}
	os.Setenv("TMPDIR", dir)
	status := m.Run()
	if status == 0 && os.Geteuid() == 0 {
		status = runAsUser(dir)
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

func runAsUser(dir string) int {
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	const uid = 54321 // nobody has it; no name is needed here
	binary := filepath.Join(dir, "launcher.test")
	if err := errors.Join(os.WriteFile(binary, exe, 0o755), os.Chown(dir, uid, uid)); err != nil {
		panic(err)
	}
	var args []string
	for _, a := range os.Args[1:] {
		if !strings.Contains(a, "testlogfile") && !strings.Contains(a, "coverprofile") {
			args = append(args, a)
		}
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asUser+"=1", "TMPDIR="+dir, "HOME="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	if err := cmd.Run(); err != nil {
		os.Stderr.WriteString("as an ordinary user: " + err.Error() + "\n")
		return 1
	}
	return 0
}

func load(t *testing.T, flags policy.Flags) *policy.Policy {
	t.Helper()
	dir := t.TempDir()
	p, _, err := policy.Load(policy.Options{Dir: dir, Home: filepath.Join(dir, "no-home"), Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRun(t *testing.T) {
	if err := Command(load(t, nil), "true").Run(); err != nil {
		t.Error(err)
	}
	var exit *ExitError
	if err := Command(load(t, nil), "sh", "-c", "exit 7").Run(); !errors.As(err, &exit) || exit.Code() != 7 {
		t.Errorf("exit 7: %v", err)
	}
	if err := Command(load(t, nil), "sh", "-c", "kill -9 $$").Run(); !errors.As(err, &exit) || exit.Code() != 137 {
		t.Errorf("kill -9: %v", err)
	}
}

func TestStartFailures(t *testing.T) {
	if err := Command(load(t, nil), "no-such-command").Run(); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing command: %v", err)
	}
	if err := Command(load(t, nil), "/etc/passwd").Run(); !errors.Is(err, ErrNotExecutable) {
		t.Errorf("file that is no program: %v", err)
	}
	cmd := Command(load(t, nil), "true")
	cmd.Dir = "/no/such/directory"
	if err := cmd.Run(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	if err := (&Cmd{}).Start(); err == nil {
		t.Error("an empty Cmd started")
	}
	if err := cmd.Wait(); err == nil {
		t.Error("Wait before Start")
	}
}

func TestStdio(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	cmd := Command(load(t, nil), "sh", "-c", "cat; echo oops >&2")
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(big), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), big) || errs.String() != "oops\n" {
		t.Errorf("got %d bytes and %q, want %d bytes", out.Len(), errs.String(), len(big))
	}

	cmd = Command(load(t, nil), "sh", "-c", "echo a; echo b >&2")
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Run(); err != nil || both.String() != "a\nb\n" {
		t.Errorf("one writer for both: %q, %v", both.String(), err)
	}
}

// A command that reads nothing of a long input does not fail for it.
func TestUnreadInput(t *testing.T) {
	cmd := Command(load(t, nil), "true")
	cmd.Stdin = io.LimitReader(zeros{}, 8<<20)
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFilesystem(t *testing.T) {
	outside := t.TempDir()
	script := "echo in > inside && echo tmp > \"$TMPDIR/x\" && echo out > " + outside + "/file"
	p := load(t, nil)
	if err := Command(p, "sh", "-c", script).Run(); err == nil {
		t.Error("the write outside succeeded")
	}
	if _, err := os.Stat(filepath.Join(outside, "file")); err == nil {
		t.Error("the file outside exists")
	}
	if _, err := os.Stat(filepath.Join(p.Dir, "inside")); err != nil {
		t.Error(err)
	}
	control := exec.Command("sh", "-c", "echo out > "+outside+"/file")
	if err := control.Run(); err != nil {
		t.Errorf("control without srun: %v", err)
	}
}

func TestDenied(t *testing.T) {
	cmd := Command(load(t, nil), "getent", "hosts", "refused.example")
	var got []string
	cmd.Denied = func(d Denial) { got = append(got, d.Line()+"; "+grantWords(d.Allow)) }
	if err := cmd.Run(); err == nil {
		t.Error("the name resolved")
	}
	want := "denied network refused.example (not in allowedDomains); allow domain refused.example"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnvironment(t *testing.T) {
	cmd := Command(load(t, policy.Flags{"env": {"GIVEN=x"}}), "env")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HTTP_PROXY=http://elsewhere:1", "TMP=/tmp", "AWS_SECRET_ACCESS_KEY=s", "KEPT=1"}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SRUN=1", "SANDBOX_RUNTIME=1", "TMPDIR=/tmp", "TMP=/tmp", "GIVEN=x", "KEPT=1", "HTTP_PROXY=http://127.0.0.1:61080"} {
		if !strings.Contains("\n"+out.String(), "\n"+want+"\n") {
			t.Errorf("no %s in the environment", want)
		}
	}
	if strings.Contains(out.String(), "AWS_SECRET") || strings.Contains(out.String(), "elsewhere") {
		t.Errorf("withheld variables arrived:\n%s", out.String())
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := CommandContext(ctx, load(t, nil), "sh", "-c", "echo ready; exec sleep 1000")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := r.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := cmd.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	p := load(t, policy.Flags{"timeout": {"200ms"}})
	if err := Command(p, "sleep", "1000").Run(); !errors.Is(err, ErrTimeout) {
		t.Errorf("sleep: %v", err)
	}
	start := time.Now()
	if err := Command(p, "sh", "-c", "trap '' TERM; while :; do sleep 1; done").Run(); !errors.Is(err, ErrTimeout) {
		t.Errorf("a command that ignores SIGTERM: %v after %v", err, time.Since(start))
	}
}

func TestSignal(t *testing.T) {
	cmd := Command(load(t, nil), "sh", "-c", "trap 'echo caught; exit 3' USR1; echo ready; sleep 1000 & wait")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := r.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	var exit *ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Code() != 3 {
		t.Errorf("Wait: %v", err)
	}
	rest, _ := io.ReadAll(r)
	if string(rest) != "caught\n" {
		t.Errorf("the command wrote %q", rest)
	}
}

// Many runs at a time, of one program: nothing is shared by accident.
func TestConcurrent(t *testing.T) {
	p := load(t, nil)
	errs := make(chan error)
	const runs = 8
	for range runs {
		go func() {
			var out bytes.Buffer
			cmd := Command(p, "sh", "-c", "echo $$")
			cmd.Stdout = &out
			errs <- cmd.Run()
		}()
	}
	for range runs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
