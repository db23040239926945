package main

import (
	"testing"

	"srun/launcher"
	"srun/policy"
)

func TestSpelling(t *testing.T) {
	s := spelling{"/home/u"}
	for _, c := range []struct {
		kind        policy.GrantKind
		value, want string
	}{
		{policy.GrantDomain, "example.com", "--allow-domain example.com"},
		{policy.GrantDomain, "::1", "--allow-domain ::1"},
		{policy.GrantDomain, "localhost:80", "--allow-domain localhost:80"},
		{policy.GrantRead, "/home/u/.ssh/id", "--allow-read ~/.ssh/id"},
		{policy.GrantRead, "/home/u", "--allow-read /home/u"},
		{policy.GrantRead, "/home/u2/ö", "--allow-read /home/u2/ö"},
		{policy.GrantWrite, "/home/u/a b", "--allow-write ~/'a b'"},
		{policy.GrantWrite, "/it's", `--allow-write '/it'\''s'`},
		{policy.GrantProtected, "/p/$(x)", "--open-protected '/p/$(x)'"},
		{policy.GrantUnixSocket, "/run/x.sock", "--allow-unix-socket /run/x.sock"},
		{policy.GrantRead, "/home/u/\x1b[2J\n'", `--allow-read ~/$'\x1b[2J\n\''`},
		{policy.GrantRead, "/\xff", `--allow-read $'/\xff'`},
		{policy.GrantForward, "5432", "--forward 5432"},
		{policy.GrantPublish, "127.0.0.1:80:8000", "--publish 127.0.0.1:80:8000"},
		{policy.GrantPublish, "[::1]:80:8000", "--publish '[::1]:80:8000'"},
		{policy.GrantNetwork, "none", "--network none"},
	} {
		if got := s.flag(policy.Grant{Kind: c.kind, Value: c.value}); got != c.want {
			t.Errorf("%s %q: %s; want %s", c.kind, c.value, got, c.want)
		}
	}
	d := launcher.Denial{Operation: "write", Target: "/x", Reason: "denyRead", Allow: []policy.Grant{{Kind: policy.GrantRead, Value: "/x"}, {Kind: policy.GrantWrite, Value: "/x"}}}
	if got, want := s.denial(d), "denied write /x (denyRead); to allow: --allow-read /x --allow-write /x"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
