package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadVerdict(t *testing.T) {
	for _, tt := range []struct {
		allow, deny []string
		path        string
		want        Verdict
		reason      string
	}{
		{nil, nil, "/etc/passwd", Allowed, ""},
		{nil, []string{"/etc"}, "/etc/passwd", Denied, "denyRead"},
		{nil, []string{"/etc"}, "/etcetera", Allowed, ""},
		{nil, []string{"/"}, "/x", Denied, "denyRead"},
		{[]string{"/etc"}, []string{"/"}, "/etc/passwd", Allowed, "allowRead"},
		{[]string{"/etc"}, []string{"/etc/ssl"}, "/etc/ssl/x", Denied, "denyRead"},
		{[]string{"/etc"}, []string{"/etc"}, "/etc/x", Denied, "denyRead"},
		{[]string{"/a/b"}, []string{"/a", "/a/b/c"}, "/a/b/c/d", Denied, "denyRead"},
		{nil, nil, "/h/.ssh/id", Denied, "credentials, default deny list"},
		{[]string{"~/.ssh/id.pub"}, nil, "/h/.ssh/id.pub", Allowed, "allowRead"},
		{[]string{"~/.ssh/id.pub"}, nil, "/h/.ssh/id", Denied, "credentials, default deny list"},
		{[]string{"~/.netrc"}, nil, "/h/.netrc", Allowed, "allowRead"},
		{[]string{"~/.netrc"}, []string{"~/.netrc"}, "/h/.netrc", Denied, "denyRead"},
		{[]string{"/"}, nil, "/h/.aws/credentials", Denied, "credentials, default deny list"},
		{nil, []string{"/p/**/*.pem"}, "/p/a/b.pem", Denied, "denyRead"},
		{nil, []string{"/p/**/*.pem"}, "/p/a/b.pem/c", Denied, "denyRead"},
		{nil, []string{"/p/**/*.pem"}, "/p/a/b.txt", Allowed, ""},
		{[]string{"/p/certs"}, []string{"/p/**/*.pem"}, "/p/certs/a.pem", Denied, "denyRead"},
		{[]string{"/p/*/**"}, []string{"/p/a/secret"}, "/p/a/secret/x", Denied, "denyRead"},
		{[]string{"/p/a/open"}, []string{"/p/*"}, "/p/a/open/x", Allowed, "allowRead"},
	} {
		p := &Policy{Filesystem: Filesystem{
			AllowRead: pathRules(t, tt.allow), DenyRead: append(pathRules(t, tt.deny), Options{Home: "/h", GOOS: "linux"}.defaultDenyRead()...),
		}}
		if got := p.ReadVerdict(tt.path); got.Verdict != tt.want || got.Reason != tt.reason {
			t.Errorf("allow %q deny %q: ReadVerdict(%s) = %+v; want %v, %q", tt.allow, tt.deny, tt.path, got, tt.want, tt.reason)
		}
	}
}

func TestWriteVerdict(t *testing.T) {
	p := &Policy{
		Home: "/h", OwnDirs: []string{"/h/.config/srun"},
		Filesystem: Filesystem{AllowWrite: pathRules(t, []string{"/h", "/p", "/p/x/y"}), DenyWrite: pathRules(t, []string{"/p/x", "/p/**/*.lock"})},
	}
	for _, tt := range []struct {
		path   string
		want   Verdict
		reason string
	}{
		{"/p/a", Allowed, "allowWrite"},
		{"/p", Allowed, "allowWrite"},
		{"/q", Denied, "not in allowWrite"},
		{"/p/x/y/z", Denied, "denyWrite"},
		{"/p/deep/go.lock", Denied, "denyWrite"},
		{"/h/notes", Allowed, "allowWrite"},
		{"/h/.bashrc", Denied, "protected path"},
		{"/h/.config/srun/settings.json", Denied, "protected path"},
		{"/p/.srun/settings.json", Denied, "protected path"},
		{"/p/sub/.vscode/tasks.json", Denied, "protected path"},
		{"/p/.git/hooks/pre-commit", Denied, "protected path"},
		{"/p/.git/config", Denied, "protected path"},
		{"/p/.git/config.lock", Denied, "denyWrite"},
		{"/p/.git/refs/heads/main", Allowed, "allowWrite"},
		{"/p/a/../../q", Denied, "not in allowWrite"},
	} {
		if got := p.WriteVerdict(tt.path); got.Verdict != tt.want || got.Reason != tt.reason {
			t.Errorf("WriteVerdict(%s) = %+v; want %v, %q", tt.path, got, tt.want, tt.reason)
		}
	}
	p.Filesystem.AllowGitConfig = true
	if got := p.WriteVerdict("/p/.git/config"); got.Verdict != Allowed {
		t.Errorf("with allowGitConfig: %+v", got)
	}
}

func pathRules(t *testing.T, paths []string) []PathRule {
	t.Helper()
	var rules []PathRule
	for _, s := range paths {
		r, err := parsePath(s, "/base", "/h", false)
		if err != nil {
			t.Fatal(err)
		}
		r.Source = flagSource("--x")
		rules = append(rules, r)
	}
	return rules
}

func TestUnsupported(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, full)
	w.Flags = Flags{"publish": {"127.0.0.2:8080:80"}, "forward": {"5432"}, "network": {"none"}, "claude": {"true"}, "deny-write": {"gone"}}
	p, _ := w.load()
	var got []string
	for _, err := range p.Unsupported(Capabilities{}, w.Flags) {
		got = append(got, relative(w, err.Error()))
	}
	want := []string{
		"--network: none cannot be enforced here",
		userFile + ":9: network.allowUnixSockets: home cannot be enforced here",
		userFile + ":13: network.deniedResolvedAddresses: 10.0.0.0/8 cannot be enforced here",
		userFile + ":13: network.deniedResolvedAddresses: 192.0.2.1/32 cannot be enforced here",
		userFile + ":16: network.rules: a rule for example.com cannot be enforced here",
		"--publish: 127.0.0.2:8080 cannot be enforced here",
		"--forward: the port cannot be enforced here",
		"--deny-write: home/project/gone, which is not there yet, cannot be enforced here",
		userFile + ":20: filesystem.denyWrite: home/.x, which is not there yet, cannot be enforced here",
		userFile + ":29: filesystem.denyWrite: home/y, which is not there yet, cannot be enforced here",
		userFile + ":15: filesystem.denyRead: home/ca.key, which is not there yet, cannot be enforced here",
		userFile + ":20: filesystem.denyRead: the glob home/**/*.pem cannot be enforced here",
		userFile + ":29: filesystem.denyRead: /etc/x, which is not there yet, cannot be enforced here",
		userFile + ":25: limits.timeout: the setting cannot be enforced here",
		userFile + ":25: limits.memory: the setting cannot be enforced here",
		userFile + ":25: limits.pids: the setting cannot be enforced here",
		userFile + ":25: limits.cpus: the setting cannot be enforced here",
		userFile + ":8: network.allowLocalBinding: the setting cannot be enforced here",
		userFile + ":10: network.allowAllUnixSockets: the setting cannot be enforced here",
		userFile + ":11: network.httpProxyPort: the setting cannot be enforced here",
		userFile + ":11: network.socksProxyPort: the setting cannot be enforced here",
		userFile + ":12: network.upstreamProxy: the setting cannot be enforced here",
		userFile + ":15: network.tlsTerminate: the setting cannot be enforced here",
		userFile + ":28: profiles: profile go cannot be enforced here",
		"--claude: reading Claude Code's files cannot be enforced here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Unsupported:\n%s", diff)
	}
	all := Capabilities{true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true}
	if errs := p.Unsupported(all, w.Flags); len(errs) != 0 {
		t.Errorf("with every capability: %v", errs)
	}
}
