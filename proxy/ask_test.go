package proxy

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func asking(ask func(context.Context, Question) Answer) func(*Config) {
	return func(c *Config) { c.Ask, c.Peer, c.AskTimeout = ask, peer, 5*time.Second }
}

func TestAsk(t *testing.T) {
	var asked []string
	w := newWorld(t, "listed.test", "bad.test", asking(func(_ context.Context, q Question) Answer {
		asked = append(asked, fmt.Sprint(q.Target, " ", q.Process.Command, " ", q.Process.PID))
		if q.Target.String() == "localhost:6" || q.Target.String() == "localhost:8" {
			return Deny
		}
		switch q.Target.Host.String() {
		case "once.test", "private.test", "10.0.0.1", "localhost":
			return AllowOnce
		case "always.test":
			return AllowAlways
		}
		return Deny
	}))
	for i, name := range []string{"listed.test", "bad.test", "once.test", "always.test", "no.test"} {
		w.serve(name, fmt.Sprintf("198.51.100.%d", i+1), 7, echo)
		w.serve("", fmt.Sprintf("198.51.100.%d", i+1), 8, echo)
	}
	w.serve("private.test", "10.0.0.1", 7, echo)
	w.serve("", "127.0.0.1", 7, echo)
	w.names["rebind.test"] = []string{"127.0.0.1"}
	for _, test := range []struct {
		target string
		status int
		reason string
	}{
		{"listed.test:7", 200, ""},
		{"bad.test:7", 403, "denied by rule bad.test"},
		{"once.test:7", 200, ""}, {"once.test:7", 200, ""}, {"once.test:8", 200, ""},
		{"always.test:7", 200, ""},
		{"no.test:7", 403, "answered no"}, {"no.test:7", 403, "answered no"}, {"no.test:8", 403, "answered no"},
		{"private.test:7", 200, ""}, // the user named it: private is fine
		{"10.0.0.1:7", 200, ""},
		{"localhost:6", 403, "answered no"},
		{"127.0.0.1:7", 200, ""}, // asked as localhost
		{"localhost:7", 200, ""},
		{"localhost:8", 403, "answered no"}, // another service
		{"169.254.169.254:80", 403, "cloud metadata address 169.254.169.254"},
	} {
		_, resp := w.connect(test.target)
		body := ""
		if test.status != 200 {
			b, _ := io.ReadAll(resp.Body)
			body = string(b)
		}
		if resp.StatusCode != test.status || !strings.Contains(body, test.reason) {
			t.Errorf("%s: %s %s", test.target, resp.Status, body)
		}
	}
	want := "[once.test:7 curl 42 always.test:7 curl 42 no.test:7 curl 42 private.test:7 curl 42 10.0.0.1:7 curl 42 localhost:6 curl 42 localhost:7 curl 42 localhost:8 curl 42]"
	if got := fmt.Sprint(asked); got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
	for _, name := range w.looked() {
		if name == "no.test" || name == "bad.test" {
			t.Errorf("resolved %s", name)
		}
	}
}

// A no for one port answers the questions that wait for the others.
func TestNoIsForEveryPort(t *testing.T) {
	asked, release := make(chan Question, 3), make(chan struct{})
	w := newWorld(t, "", "", asking(func(_ context.Context, q Question) Answer { asked <- q; <-release; return Deny }))
	bodies := make(chan string, 3)
	for port := range 3 {
		go func() {
			_, resp := w.connect(fmt.Sprintf("no.test:%d", port+1))
			b, _ := io.ReadAll(resp.Body)
			bodies <- string(b)
		}()
	}
	for w.waiting() < 3 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	for range 3 {
		if b := <-bodies; !strings.Contains(b, "answered no") {
			t.Error(b)
		}
	}
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// Requests for one target share a question, and no two are asked at once.
func TestAskIsShared(t *testing.T) {
	var asked, running, most atomic.Int32
	w := newWorld(t, "", "", asking(func(_ context.Context, q Question) Answer {
		asked.Add(1)
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(50 * time.Millisecond)
		running.Add(-1)
		return AllowOnce
	}))
	w.serve("a.test", "198.51.100.1", 7, echo)
	w.serve("b.test", "198.51.100.2", 7, echo)
	w.serve("", "198.51.100.2", 8, echo)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if _, resp := w.connect([]string{"a.test:7", "b.test:7", "b.test:8"}[i%3]); resp.StatusCode != 200 {
				t.Error(resp.Status)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 2 || most.Load() != 1 { // b.test:8 rides on the answer for b.test:7, or the other way
		t.Errorf("asked %d times, %d at once", asked.Load(), most.Load())
	}
}

func TestAskTimesOut(t *testing.T) {
	for name, ask := range map[string]func(context.Context, Question) Answer{
		"obeys":   func(ctx context.Context, _ Question) Answer { <-ctx.Done(); return Deny },
		"late":    func(ctx context.Context, _ Question) Answer { <-ctx.Done(); return AllowAlways },
		"ignores": func(context.Context, Question) Answer { time.Sleep(300 * time.Millisecond); return AllowAlways },
	} {
		w := newWorld(t, "", "", func(c *Config) { c.Ask, c.AskTimeout = ask, 50*time.Millisecond })
		start := time.Now()
		_, resp := w.connect("a.test:7")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 403 || !strings.Contains(string(body), "(no answer in 50ms)") || time.Since(start) > 250*time.Millisecond {
			t.Errorf("%s: %s %s after %v", name, resp.Status, body, time.Since(start))
		}
		if _, resp := w.connect("a.test:7"); resp.StatusCode != 403 {
			t.Errorf("%s: a late answer counts: %s", name, resp.Status)
		}
	}
}

func TestStrictNeverAsks(t *testing.T) {
	w := newWorld(t, "", "", asking(func(context.Context, Question) Answer { t.Error("asked"); return AllowAlways }), func(c *Config) { c.Strict = true })
	if _, resp := w.connect("a.test:7"); resp.StatusCode != 403 {
		t.Error(resp.Status)
	}
}

// Rules that change while a question waits decide it without asking.
func TestAskBecomesMoot(t *testing.T) {
	asked, release := make(chan Question, 3), make(chan struct{})
	w := newWorld(t, "", "", asking(func(_ context.Context, q Question) Answer { asked <- q; <-release; return Deny }))
	w.serve("b.test", "198.51.100.1", 7, echo)
	statuses := make(chan int, 2)
	for _, target := range []string{"a.test:7", "b.test:7"} {
		go func() {
			_, resp := w.connect(target)
			statuses <- resp.StatusCode
		}()
		if target == "a.test:7" {
			<-asked
		}
	}
	for w.waiting() < 2 {
		time.Sleep(time.Millisecond)
	}
	w.s.SetDomains(rules(t, "b.test:7", ""))
	close(release)
	if a, b := <-statuses, <-statuses; a+b != 403+200 {
		t.Errorf("%d and %d", a, b)
	}
	if len(asked) > 0 {
		t.Errorf("asked %v", <-asked)
	}
	if _, resp := w.connect("b.test:8"); resp.StatusCode != 403 {
		t.Errorf("the rule is for one port: %s", resp.Status)
	}
}

func (w *world) waiting() int { return w.s.decide.asker.Waiting() }

// How long an answer holds, and what it says.
func TestAnswersHold(t *testing.T) {
	asked := map[string]int{}
	w := newWorld(t, "", "", asking(func(_ context.Context, q Question) Answer {
		asked[q.Target.Host.String()]++
		switch q.Target.Host.String() {
		case "run.test":
			return AllowOnce
		case "once.test":
			return Answer{Allow: true, Once: true}
		case "brief.test":
			return Answer{Allow: true, For: time.Nanosecond}
		case "long.test":
			return Answer{Allow: true, For: time.Hour}
		case "no-once.test":
			return Answer{Once: true, Reason: "answered no: not now\x1b[2J"}
		}
		return Answer{Reason: "answered no: not ours"}
	}))
	for i, name := range []string{"run.test", "once.test", "brief.test", "long.test"} {
		w.serve(name, fmt.Sprintf("198.51.100.%d", i+1), 7, echo)
	}
	for name, want := range map[string]struct {
		asked  int
		reason string
	}{
		"run.test": {1, ""}, "once.test": {3, ""}, "brief.test": {3, ""}, "long.test": {1, ""},
		"no.test": {1, "(answered no: not ours)"}, "no-once.test": {3, `(answered no: not now\x1b[2J)`},
	} {
		for range 3 {
			_, resp := w.connect(name + ":7")
			if want.reason == "" {
				if resp.StatusCode != 200 {
					t.Errorf("%s: %s", name, resp.Status)
				}
				continue
			}
			if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), want.reason) {
				t.Errorf("%s: %s; want %s", name, body, want.reason)
			}
		}
		if asked[name] != want.asked {
			t.Errorf("%s was asked about %d times; want %d", name, asked[name], want.asked)
		}
	}
}

// Once nobody is left to wait for an answer, what is being asked ends and nobody
// is asked again; what was answered holds.
func TestStopAsking(t *testing.T) {
	asked := make(chan string, 2)
	w := newWorld(t, "", "", asking(func(ctx context.Context, q Question) Answer {
		asked <- q.Target.Host.String()
		if q.Target.Host.String() == "before.test" {
			return AllowOnce
		}
		<-ctx.Done()
		return AllowOnce
	}))
	w.serve("before.test", "198.51.100.1", 7, echo)
	w.tunnel("before.test:7")
	ended := make(chan int, 1)
	go func() {
		_, resp := w.connect("during.test:7")
		ended <- resp.StatusCode
	}()
	for <-asked != "during.test" {
	}
	w.s.StopAsking()
	if got := <-ended; got == 200 {
		t.Errorf("a question that was ended is answered yes: %d", got)
	}
	w.tunnel("before.test:7")
	if _, resp := w.connect("after.test:7"); resp.StatusCode == 200 {
		t.Error("allowed without an answer")
	}
	if len(asked) > 0 {
		t.Errorf("%s was asked for", <-asked)
	}
}
