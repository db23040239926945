package question

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"srun/policy"
)

func undecided(policy.HostPort) bool { return false }

func target(t *testing.T, s string) policy.HostPort {
	t.Helper()
	hp, err := policy.ParseHostPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return hp
}

// One question serves all who want the same, and its answer every port of the
// host; each port of localhost is asked for.
func TestQuestionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		a := New(t.Context(), func(context.Context, Question) Answer {
			asked++
			time.Sleep(time.Second)
			return AllowOnce
		}, 0, undecided)
		for range 10 {
			go a.Ask(t.Context(), target(t, "a.test:443"), nil)
		}
		synctest.Wait()
		if n := a.Waiting(); n != 10 {
			t.Errorf("%d wait; want 10", n)
		}
		for _, test := range []struct {
			to   string
			want int
		}{{"a.test:443", 1}, {"a.test:80", 1}, {"localhost:80", 2}, {"localhost:81", 3}, {"localhost:80", 3}} {
			refused, err := a.Ask(t.Context(), target(t, test.to), nil)
			if refused != "" || err != nil || asked != test.want {
				t.Errorf("%s: %q, %v, asked %d times; want %d", test.to, refused, err, asked, test.want)
			}
		}
		if !a.SaidYes(target(t, "a.test:1").Host) || a.SaidYes(target(t, "b.test:1").Host) {
			t.Error("who said yes is not remembered")
		}
	})
}

// A question ends with its time, with Stop, and where the rules decide by then.
func TestQuestionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decided := false
		silent := func(ctx context.Context, _ Question) Answer { <-ctx.Done(); return AllowAlways }
		a := New(t.Context(), silent, time.Minute, func(policy.HostPort) bool { return decided })
		if refused, err := a.Ask(t.Context(), target(t, "a.test:1"), nil); refused != "no answer in 1m0s" || err != nil {
			t.Errorf("unanswered: %q, %v", refused, err)
		}
		decided = true
		if refused, err := a.Ask(t.Context(), target(t, "b.test:1"), nil); refused != "" || err != ErrMoot {
			t.Errorf("decided: %q, %v", refused, err)
		}
		decided = false
		time.AfterFunc(time.Second, a.Stop)
		if refused, err := a.Ask(t.Context(), target(t, "c.test:1"), nil); refused == "" && err == nil {
			t.Error("stopped: allowed")
		}
		nobody := New(t.Context(), nil, 0, undecided)
		if refused, err := nobody.Ask(t.Context(), target(t, "a.test:1"), nil); refused != Unlisted || err != nil || nobody.Asks() {
			t.Errorf("nobody to ask: %q, %v", refused, err)
		}
	})
}
