package main

import (
	"strings"
	"testing"
	"time"

	"srun/launcher"
)

func TestProgramAnswer(t *testing.T) {
	for _, tt := range []struct {
		given programAnswer
		want  launcher.Answer
		err   string
	}{
		{programAnswer{Decision: "allow"}, launcher.AllowOnce, ""},
		{programAnswer{Decision: "allow", Scope: "run", Reason: "fine"}, launcher.AllowOnce, ""},
		{programAnswer{Decision: "allow", Scope: "once"}, launcher.Answer{Allow: true, Once: true}, ""},
		{programAnswer{Decision: "allow", Scope: "project"}, launcher.AllowAlways, ""},
		{programAnswer{Decision: "allow", Scope: "user"}, launcher.AllowOnce, ""},
		{programAnswer{Decision: "allow-always"}, launcher.AllowAlways, ""},
		{programAnswer{Decision: "allow", For: "15m"}, launcher.Answer{Allow: true, For: 15 * time.Minute}, ""},
		{programAnswer{Decision: "deny"}, launcher.Answer{Reason: "answered no"}, ""},
		{programAnswer{Decision: "deny", Reason: "not ours"}, launcher.Answer{Reason: "answered no: not ours"}, ""},
		{programAnswer{Decision: "deny", Scope: "project"}, launcher.Answer{Reason: "answered no"}, ""},
		{programAnswer{}, launcher.Deny, `its decision "" is not`},
		{programAnswer{Decision: "Allow"}, launcher.Deny, `its decision "Allow" is not`},
		{programAnswer{Decision: "allow", Scope: "all"}, launcher.Deny, `its scope "all" is not`},
		{programAnswer{Decision: "allow", For: "soon"}, launcher.Deny, `its "for" "soon" is not`},
		{programAnswer{Decision: "allow", For: "-1s"}, launcher.Deny, `its "for" "-1s" is not`},
		{programAnswer{Decision: "allow", Scope: "project", For: "1s"}, launcher.Deny, `"for" goes with`},
	} {
		got, err := tt.given.read()
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%+v: %+v, %v; want %+v", tt.given, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)):
			t.Errorf("%+v: %+v, %v; want %s", tt.given, got, err, tt.err)
		}
	}
}
