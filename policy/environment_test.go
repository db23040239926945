package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilterDefaults(t *testing.T) {
	kept := strings.Fields(`PATH HOME LANG LC_ALL TERM USER SHELL PWD EDITOR GOPATH GOFLAGS CC CFLAGS AWS_REGION AWS_PROFILE
		NODE_ENV npm_config_registry KUBECONFIG TZ DISPLAY COLORTERM MAKEFLAGS CI GITHUB_ACTIONS GITHUB_SHA PIP_INDEX_URL
		HTTP_PROXY PASS_ENV KEYBOARD XDG_RUNTIME_DIR`)
	withheld := strings.Fields(`AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN AWS_CONTAINER_CREDENTIALS_FULL_URI
		GITHUB_TOKEN GH_TOKEN NPM_TOKEN npm_config__auth OPENAI_API_KEY ANTHROPIC_API_KEY anthropic_api_key STRIPE_SECRET_KEY
		DATABASE_URL POSTGRES_PASSWORD PGPASSWORD MYSQL_PWD SSH_AUTH_SOCK GOOGLE_APPLICATION_CREDENTIALS VAULT_TOKEN
		RAILS_MASTER_KEY DOCKER_AUTH_CONFIG SSHPASS GIT_ASKPASS DEPLOY_PRIVATE_KEY SLACK_WEBHOOK_URL ACTIONS_ID_TOKEN_REQUEST_URL`)
	e := Environment{Deny: defaultEnvRules()}
	for _, name := range kept {
		if r, ok := e.Withheld(name); ok {
			t.Errorf("%s is withheld by %s", name, r.Glob)
		}
	}
	for _, name := range withheld {
		if r, ok := e.Withheld(name); !ok || r.Reason == "" {
			t.Errorf("%s is handed on, or without a reason: %+v", name, r)
		}
	}
}

func TestFilterOrder(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, `{"environment": {"deny": ["FOO_*", "GH_TOKEN"], "allow": ["GITHUB_TOKEN", "GH_TOKEN", "FOO_A"]}}`)
	w.Flags = Flags{"env": {"NEW=1", "PATH=/x", "EMPTY=", "NPM_TOKEN"}, "unset-env": {"L*", "EMPTY"}}
	p, _ := w.load()
	got := p.Environment.Filter([]string{
		"PATH=/bin", "LANG=C", "FOO_A=1", "FOO=2", "GITHUB_TOKEN=a", "GH_TOKEN=b", "NPM_TOKEN=c", "X_TOKEN=d", "broken", "=x", "EMPTY=y",
	})
	want := []string{"FOO=2", "GITHUB_TOKEN=a", "NPM_TOKEN=c", "NEW=1", "PATH=/x", "EMPTY="}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Filter:\n%s", diff)
	}
	w.Flags = Flags{"env": {"FOO_A=1"}}
	if got := w.loadError(); got != "--env: FOO_A is denied by environment.deny at "+userFile+":1" {
		t.Errorf("--env of a denied name: %q", got)
	}
}

func TestWildcard(t *testing.T) {
	for _, tt := range []struct {
		glob, s string
		want    bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*", "abc", true}, {"*c", "abc", true}, {"*b*", "abc", true},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*_T*_X", "A_T_T_X", true}, {"**", "x", true}, {"a*b", "acbd", false},
		{"A", "a", false}, {"[a]", "[a]", true}, {"[a]", "a", false},
	} {
		if got := wildcard(tt.glob, tt.s); got != tt.want {
			t.Errorf("wildcard(%q, %q) = %v", tt.glob, tt.s, got)
		}
	}
	if wildcard(strings.Repeat("*a", 50)+"b", strings.Repeat("a", 1<<14)) {
		t.Error("a glob that ends in b matches only a")
	}
}

func TestTablesHaveReasons(t *testing.T) {
	for _, v := range defaultEnv {
		if v.reason == "" || v.glob != strings.ToUpper(v.glob) {
			t.Errorf("%+v: needs a reason, and a glob in upper case", v)
		}
	}
	for _, c := range credentials {
		if c.reason == "" || !slices.Contains([]string{"", "linux", "darwin"}, c.goos) {
			t.Errorf("%+v", c)
		}
	}
	for _, n := range slices.Concat(protectedHome, protectedAnywhere) {
		if n.reason == "" || strings.HasPrefix(n.path, "/") {
			t.Errorf("%+v", n)
		}
	}
}
