//go:build linux

package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// callerVar has the test binary be a caller whose calls stop, on descriptor 3.
const callerVar = "SRUN_BROKER_TEST_CALLER"

func TestMain(m *testing.M) {
	if os.Getenv(callerVar) != "" {
		caller()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A caller that signals take away from its calls, as before Linux 5.19, has each
// done once, but for the answers of which nobody tells that they were lost (see
// restarts). Control: with nothing remembered, many are done twice.
func TestRestarts(t *testing.T) {
	said, control := storm(t, true), storm(t, false)
	twice, without := strings.Count(said, "\n"), strings.Count(control, "\n")
	t.Logf("%d of 3,200 calls went wrong, %d with nothing remembered", twice, without)
	if twice > without/10 {
		t.Errorf("done twice, or not at all:\n%s", said)
	}
	if without < 20 || !strings.Contains(control, "file exists") {
		t.Errorf("control: hardly a call was done twice: %q", control)
	}
}

// storm runs a caller in a new directory and returns what it says.
func storm(t *testing.T, remember bool) string {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env, cmd.Dir, cmd.ExtraFiles = append(os.Environ(), callerVar+"=1"), t.TempDir(), []*os.File{theirs}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	b := New(Config{Notify: takeListener(t, pair[0])})
	if !remember {
		b.restarts = nil
	}
	go b.Serve()
	err = cmd.Wait()
	b.Wait()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return said.String()
}

// takeListener receives the caller's listener.
func takeListener(t *testing.T, socket int) int {
	file := os.NewFile(uintptr(socket), "socket")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), out)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(out[:n])
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	return fds[0]
}

// caller makes calls of which each can succeed once, on a thread that is
// signalled all the time, and says which did not.
func caller() {
	signal.Notify(make(chan os.Signal, 1), unix.SIGUSR1) // with SA_RESTART
	runtime.LockOSThread()
	if err := stopCalls(); err != nil {
		fmt.Println("filter:", err)
		return
	}
	var done atomic.Bool
	pid, tid := unix.Getpid(), unix.Gettid()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for !done.Load() {
			unix.Tgkill(pid, tid, unix.SIGUSR1)
			time.Sleep(100 * time.Microsecond)
		}
	}()
	for i := range 400 {
		round(fmt.Sprint(i))
	}
	done.Store(true)
	<-ended
}

func round(name string) {
	again := func(call string, f func() error) {
		err := f()
		for err == unix.EINTR {
			err = f()
		}
		if err != nil {
			fmt.Println(call, name, err)
		}
	}
	again("open", func() error {
		fd, err := unix.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o444)
		if err == nil {
			_, err = unix.Write(fd, []byte("x"))
			err = errors.Join(err, unix.Close(fd))
		}
		return err
	})
	again("link", func() error { return unix.Link(name, name+"l") })
	again("rename", func() error { return unix.Rename(name+"l", name+"r") })
	again("mkdir", func() error { return unix.Mkdir(name+"d", 0o755) })
	again("symlink", func() error { return unix.Symlink(name, name+"s") })
	again("mknod", func() error { return unix.Mknod(name+"p", unix.S_IFIFO|0o644, 0) })
	again("unlink", func() error { return unix.Unlink(name + "r") })
	again("rmdir", func() error { return unix.Rmdir(name + "d") })
}

// stopCalls has the thread's calls stop and passes the listener on.
func stopCalls() error {
	var numbers []uint32
	for _, abi := range abis {
		for nr, k := range abi.calls {
			if abi.bits == 64 && !slices.Contains([]kind{callUmask, callClone, callConnect, callGetsockname, callBind}, k) {
				numbers = append(numbers, uint32(nr))
			}
		}
	}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}}
	for _, nr := range numbers {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if err := dropCapabilities(); err != nil { // or a worker may not look at it
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0); err != nil {
		return err
	}
	return errors.Join(unix.Close(int(fd)), unix.Close(3))
}

// Of answers that were lost the same call gets its own; those of a handler that
// has returned are forgotten, and so is what was never asked for again.
func TestLostAnswers(t *testing.T) {
	tid := uint32(unix.Gettid())
	r := newRestarts()
	lose := func(id uint64) {
		r.add(&lost{note: notification{id: id, pid: tid}, began: began(tid), file: -1})
	}
	take := func(id uint64) bool {
		return r.take(tid, func(l *lost) bool { return l.note.id == id }) != nil
	}
	lose(1)
	lose(2)
	if take(3) || !take(1) || take(1) || take(2) {
		t.Error("an answer went to another call, or twice, or outlived the call that it came in the middle of")
	}
	lose(4)
	for range mostOthers {
		take(5)
	}
	if !take(4) {
		t.Error("an answer was forgotten too early")
	}
	lose(6)
	for range mostOthers + 1 {
		take(5)
	}
	if take(6) || len(r.answers) != 0 {
		t.Error("an answer stays for ever")
	}
	r.add(&lost{note: notification{pid: tid}, began: "long ago", file: -1})
	lose(7)
	if len(r.answers[tid]) != 1 {
		t.Error("an earlier thread's answer is kept for another with its number")
	}
}
