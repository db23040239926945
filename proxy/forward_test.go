package proxy

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"srun/policy"
)

// forwarded connects to a port that leads to the host's port 7. A refusal may be
// there before the connection is: nil.
func (w *world) forwarded(by string) net.Conn {
	w.t.Helper()
	l := listen(w.t)
	go w.s.ServeForward(l, 7, by, policy.Source{Tier: policy.TierFlag, Flag: by})
	conn, err := net.Dial("tcp", l.Addr().String())
	if errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// A forwarded port needs a rule, its own or one for localhost; a deny rule wins
// over both, and nobody is asked.
func TestForwardedPort(t *testing.T) {
	for name, test := range map[string]struct{ allow, deny, by, code string }{
		"by its own rule":    {"", "", "--forward 7", ""},
		"by localhost's":     {"localhost:7", "", "", ""},
		"by no rule":         {"localhost:8 *", "", "", CodeAllowlist},
		"denied":             {"", "localhost:7", "--forward 7", CodeDenylist},
		"allowed and denied": {"localhost:7", "localhost", "", CodeDenylist},
	} {
		w := newWorld(t, test.allow, test.deny, asking(func(context.Context, Question) Answer { return AllowOnce }))
		w.serve("", "127.0.0.1", 7, echo)
		conn := w.forwarded(test.by)
		if test.code == "" {
			if conn == nil {
				t.Fatalf("%s: reset", name)
			}
			conn.Write([]byte("x"))
			if got := readN(conn, 1); string(got) != "x" {
				t.Errorf("%s: %q", name, got)
			}
			w.wantDenials(0)
			continue
		}
		if conn != nil && !wasReset(conn) {
			t.Errorf("%s: no reset", name)
		}
		if d := w.wantDenials(1); len(d) == 1 && (d[0].Code != test.code || d[0].Target != "localhost:7") {
			t.Errorf("%s: %+v", name, d[0])
		}
		if len(w.dialled()) > 0 {
			t.Errorf("%s: dialled %v", name, w.dialled())
		}
	}
	w := newWorld(t, "", "")
	if conn := w.forwarded("--forward 7"); conn != nil && !wasReset(conn) { // nobody listens there
		t.Error("no reset")
	}
}
