package policy

import (
	_ "embed"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// full sets every key of the contract's table that a user file may set.
//
//go:embed testdata/settings/srun.json
var full string

func TestEveryKeyIsRead(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, full)
	p, notices := w.load()
	if len(notices) != 0 {
		t.Errorf("notices = %q", notices)
	}
	n := p.Network
	if !n.Strict || !n.AllowLocalBinding || !n.AllUnixSockets || n.HTTPProxyPort != 8080 || n.SOCKSProxyPort != 1080 ||
		n.UpstreamProxy.Host != "proxy.example:3128" || len(n.DeniedResolvedAddresses) != 2 || len(n.UnixSockets) != 1 {
		t.Errorf("Network = %+v", n)
	}
	if n.TLSTerminate == nil || n.TLSTerminate.CAKeyPath != w.path("home/ca.key") || len(n.TLSTerminate.ExcludeDomains) != 1 {
		t.Errorf("TLSTerminate = %+v", n.TLSTerminate)
	}
	if len(n.Rules) != 1 || n.Rules[0].Action != Allowed || n.Rules[0].Source.Line != 16 {
		t.Errorf("Rules = %+v", n.Rules)
	}
	if diff := cmp.Diff([]string{"example.com", "*.example.org:443", "10.0.0.0/8", "localhost:8080", "docs.example"}, patterns(n.Allow)); diff != "" {
		t.Errorf("allowed:\n%s", diff)
	}
	if got := p.ReadVerdict("/etc/x/y"); got.Verdict != Denied {
		t.Errorf("ReadVerdict = %+v; want permissions.deny to hold", got)
	}
	if want := (Limits{Timeout: 5400e9, Memory: 512 << 20, PIDs: 100, CPUs: 1.5}); p.Limits != want {
		t.Errorf("Limits = %+v", p.Limits)
	}
	if !p.AcceptsWeaker("namespaces") || !p.AcceptsWeaker("write-deny") || p.AcceptsWeaker("seccomp") {
		t.Errorf("Weaker = %+v", p.Weaker)
	}
	if !p.MacOS.AllowPty || len(p.MacOS.MachLookup) != 1 || len(p.Permissions) != 3 || len(p.Profiles) != 1 || len(p.IgnoreViolations) != 1 {
		t.Errorf("Policy = %+v", p)
	}
	for _, s := range p.Scalars {
		if strings.Contains(s.Value, "secret") {
			t.Errorf("the scalar %s shows the proxy's password", s.Key)
		}
	}
}

func TestOtherShapesLoadUnchanged(t *testing.T) {
	for _, name := range []string{"srt", "claude"} {
		t.Run(name, func(t *testing.T) {
			file, err := filepath.Abs("testdata/settings/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.SettingsFiles = []string{file}
			p, _ := w.load()
			for _, host := range []string{"github.com:443", "npm.packages.example:443"} {
				if dec := p.Network.Domains().Decide(mustHostPort(t, host)); dec.Verdict != Allowed {
					t.Errorf("Decide(%s) = %+v", host, dec)
				}
			}
			if got := p.WriteVerdict("/tmp/x"); got.Verdict != Allowed {
				t.Errorf("WriteVerdict(/tmp/x) = %+v", got)
			}
			if got := p.ReadVerdict(w.path("home/.ssh/id")); got.Verdict != Denied {
				t.Errorf("ReadVerdict = %+v", got)
			}
		})
	}
}

func TestClaudeNotices(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, `{"permissions": {"allow": ["Bash(ls)", "Edit"], "ask": ["WebFetch(domain:a.example)"]},
"sandbox": {"enabled": false, "excludedCommands": ["docker"], "allowUnsandboxedCommands": true, "filesystem": {"disabled": true}}}`)
	_, notices := w.load()
	want := []string{
		userFile + ":1: permissions.allow: left out, not about files or domains: Bash(ls), Edit",
		userFile + ":1: permissions.ask: left out, not about files or domains: WebFetch(domain:a.example)",
		userFile + ":2: sandbox.filesystem.disabled ignored: no file makes srun run a command unsandboxed",
		userFile + ": enabled, allowUnsandboxedCommands, excludedCommands ignored: no file makes srun run a command unsandboxed",
	}
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("notices:\n%s", diff)
	}
}

func TestSettingsErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ": the file is empty; write {} for no settings"},
		{" \n", ": the file is empty; write {} for no settings"},
		{"[]", ":1: is a list; it takes an object"},
		{"{", ":1: not valid JSON: column 2: "},
		{"{\n\n  x}", ":3: not valid JSON: column 3: "},
		{"{}}", ":1: not valid JSON: "},
		{"{\n\"network\": {\n\"allowDomains\": []}}", ":3: network.allowDomains: unknown key; did you mean network.allowedDomains?"},
		{`{"allowedDomains": []}`, ":1: allowedDomains: unknown key; did you mean network.allowedDomains?"},
		{`{"Network": {}}`, ":1: Network: unknown key; did you mean network?"},
		{`{"sandbox": {"netwrok": {}}}`, ":1: sandbox.netwrok: unknown key; did you mean sandbox.network?"},
		{`{"network": {"tlsTerminate": {"caPath": ""}}}`, ":1: network.tlsTerminate.caPath: unknown key; did you mean network.tlsTerminate.caKeyPath?"},
		{`{"filesystem": {"denyRead": [{"pth": "x"}]}}`, ":1: filesystem.denyRead.pth: unknown key; did you mean filesystem.denyRead.path?"},
		{`{"network": {}, "network": {}}`, ":1: network: the key is there twice"},
		{`{"ignoreViolations": {"*": [], "*": []}}`, `:1: ignoreViolations: "*" is there twice`},
		{`{"network": []}`, ":1: network: is a list; it takes an object"},
		{`{"network": {"allowedDomains": "a.example"}}`, ":1: network.allowedDomains: is text; it takes a list of domain patterns"},
		{"{\"network\": {\"allowedDomains\": [\n\"a.example\",\n7]}}", ":3: network.allowedDomains: is a number; it takes text"},
		{`{"network": {"strictAllowlist": "yes"}}`, ":1: network.strictAllowlist: is text; it takes true or false"},
		{`{"network": {"strictAllowlist": null}}`, ":1: network.strictAllowlist: is null; it takes true or false"},
		{`{"network": {"httpProxyPort": 0}}`, ":1: network.httpProxyPort: 0 is not a whole number from 1 to 65535"},
		{`{"network": {"httpProxyPort": 70000}}`, ":1: network.httpProxyPort: 70000 is not a whole number from 1 to 65535"},
		{`{"network": {"httpProxyPort": 80.5}}`, ":1: network.httpProxyPort: 80.5 is not a whole number from 1 to 65535"},
		{`{"network": {"httpProxyPort": "80"}}`, ":1: network.httpProxyPort: is text; it takes a number"},
		{`{"network": {"allowedDomains": ["*.com"]}}`, `:1: network.allowedDomains: "*.com": a wildcard over the public suffix "com"`},
		{`{"network": {"allowedDomains": ["a:70000"]}}`, `:1: network.allowedDomains: "a:70000": port "70000": not a number from 1 to 65535`},
		{`{"network": {"allowedDomains": ["a\u0000b"]}}`, `:1: network.allowedDomains: "a\x00b": has control byte 0x00`},
		{`{"network": {"deniedResolvedAddresses": ["10.0.0.0/33"]}}`, `:1: network.deniedResolvedAddresses: "10.0.0.0/33": not an address range`},
		{`{"network": {"deniedResolvedAddresses": ["fe80::1%lo"]}}`, `:1: network.deniedResolvedAddresses: "fe80::1%lo": not an address range`},
		{`{"network": {"deniedDomainReasons": {"a.example": "x\u001b[2J"}}}`, ":1: network.deniedDomainReasons: the reason has the unprintable"},
		{`{"network": {"upstreamProxy": "ftp://u:secret@p.example"}}`, ":1: network.upstreamProxy: a proxy URL begins with http://"},
		{`{"network": {"tlsTerminate": {"caCertPath": "/x"}}}`, ":1: network.tlsTerminate: caCertPath and caKeyPath go together"},
		{`{"network": {"rules": [{"host": "a.example", "paths": ["x"], "action": "deny"}]}}`, `:1: network.rules.paths: "x": a path begins with '/'`},
		{`{"network": {"rules": [{"host": "a.example", "paths": ["/[x"], "action": "deny"}]}}`, `:1: network.rules.paths: "/[x": not a valid glob`},
		{`{"network": {"rules": [{"host": "a.example", "paths": ["/a%20b"], "action": "deny"}]}}`, `:1: network.rules.paths: "/a%20b": a path is matched decoded`},
		{`{"network": {"rules": [{"host": "a.example", "paths": ["/refs?service=x"], "action": "deny"}]}}`, `:1: network.rules.paths: "/refs?service=x": a path is matched without its query`},
		{`{"network": {"rules": [{"host": "a.example"}]}}`, `:1: network.rules: the rule's "action" is missing`},
		{`{"network": {"rules": [{"action": "deny"}]}}`, `:1: network.rules: the rule's "host" is missing`},
		{`{"network": {"rules": [{"host": "a.example", "action": "ask"}]}}`, `:1: network.rules.action: "ask": an action is`},
		{`{"network": {"rules": [{"host": "a.example", "methods": ["get"], "action": "deny"}]}}`, `:1: network.rules.methods: "get": not a method`},
		{`{"network": {"mitmProxy": {}}}`, ":1: network.mitmProxy: srt's mitmProxy is not supported"},
		{`{"credentials": {"files": [{"path": "~/x", "mode": "mask"}]}}`, `:1: credentials.files: mode "mask" is not supported`},
		{`{"filesystem": {"denyRead": [""]}}`, `:1: filesystem.denyRead: "": an empty path`},
		{`{"filesystem": {"denyRead": ["~root/x"]}}`, `:1: filesystem.denyRead: "~root/x": only ~/ is expanded`},
		{`{"filesystem": {"denyRead": ["a[b"]}}`, `:1: filesystem.denyRead: "a[b": not a valid glob`},
		{`{"filesystem": {"denyRead": ["a\u0000"]}}`, `:1: filesystem.denyRead: "a\x00": has a NUL byte`},
		{`{"filesystem": {"denyRead": [{"literal": true}]}}`, `:1: filesystem.denyRead: the "path" of an entry is missing`},
		{`{"environment": {"deny": ["A=B"]}}`, `:1: environment.deny: "A=B": a variable's name has no '='`},
		{`{"limits": {"timeout": "soon"}}`, `:1: limits.timeout: "soon": not a time`},
		{`{"limits": {"timeout": -1}}`, `:1: limits.timeout: "-1": not a time`},
		{`{"limits": {"memory": "2X"}}`, `:1: limits.memory: "2X": not a size`},
		{`{"limits": {"pids": 0}}`, ":1: limits.pids: 0 is not a whole number from 1 to"},
		{`{"limits": {"cpus": "NaN"}}`, `:1: limits.cpus: "NaN": not a number of CPUs`},
		{strings.Repeat("[", 1<<20), ": nested too deeply"},
		{`{"a\nb": 1}`, `:1: "a\nb": unknown key`},
	} {
		w := newWorld(t)
		w.write(userFile, tt.text)
		if got := w.loadError(); !strings.HasPrefix(got, userFile+tt.want) {
			t.Errorf("settings %.80q:\n got %s\nwant %s...", tt.text, got, userFile+tt.want)
		}
	}
}

func TestFlagErrors(t *testing.T) {
	for _, tt := range []struct {
		flags Flags
		want  string
	}{
		{Flags{"allow-domain": {"a.example,*.com"}}, `--allow-domain: "*.com": a wildcard over the public suffix`},
		{Flags{"deny-domain": {""}}, `--deny-domain: "": empty`},
		{Flags{"allow-write": {""}}, `--allow-write: "": an empty path`},
		{Flags{"http-proxy-port": {"70000"}}, `--http-proxy-port: "70000": port`},
		{Flags{"network": {"open"}}, `--network: "open": not one of filtered, none, host`},
		{Flags{"publish": {"1:2:3"}}, `--publish: "1:2:3": not [ADDR:]PORT[:INNER]`},
		{Flags{"publish": {"0"}}, `--publish: "0": port`},
		{Flags{"forward": {"x"}}, `--forward: "x": port`},
		{Flags{"env": {"=x"}}, `--env: "=x": not NAME or NAME=VALUE`},
		{Flags{"unset-env": {""}}, `--unset-env: "": an empty variable name`},
		{Flags{"timeout": {"0"}}, `--timeout: "0": not a time`},
		{Flags{"memory": {"lots"}}, `--memory: "lots": not a size`},
		{Flags{"pids": {"-1"}}, `--pids: "-1": not a whole number`},
		{Flags{"cpus": {"0"}}, `--cpus: "0": not a number of CPUs`},
		{Flags{"allow-weaker": {"namespace"}}, `--allow-weaker: "namespace": no such protection; did you mean namespaces`},
	} {
		w := newWorld(t)
		w.Flags = tt.flags
		if got := w.loadError(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("flags %+v:\n got %s\nwant %s...", tt.flags, got, tt.want)
		}
	}
}

func FuzzSettings(f *testing.F) {
	for _, s := range []string{full, "", "{}", "[", `{"network":{"allowedDomains":["*.com"]}}`, `{"sandbox":{},"x":1}`, "{/*", `{"a":"\`, "//"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{layer: &layer{}, path: "/p/settings.json", tier: TierProject, base: "/p", home: "/h", data: data}
		if err := r.parseSettings(); err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error is not one printable line: %q", err)
			}
			return
		}
		r.layer.tighten()
		if again := r.layer.tighten(); len(again) != 0 {
			t.Errorf("tightened twice, dropped %q the second time", again)
		}
		if edited, err := addAllowedDomain(data, r.path, "added.example"); err == nil {
			if _, err := addAllowedDomain(edited, r.path, "again.example"); err != nil {
				t.Errorf("an edited file cannot be edited: %v\n%s", err, edited)
			}
		}
	})
}

func TestSettingsFromAPipe(t *testing.T) {
	w := newWorld(t)
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pw.WriteString(`{"network": {"allowedDomains": ["a.example"]}}`)
	pw.Close()
	w.SettingsFiles = []string{filepath.Join("/dev/fd", strconv.Itoa(int(r.Fd())))}
	if p, _ := w.load(); len(p.Network.Allow) != 1 {
		t.Errorf("Allow = %+v", p.Network.Allow)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"allow-domain", "allow-read", "explain", "env", "cpus"}
	for word, want := range map[string]string{
		"alow-domain": "allow-domain", "Allow-Domain": "allow-domain", "allow-raed": "allow-read", "evn": "", "en": "env", "xplain": "explain",
		"sandbox": "", "": "", "cpu": "cpus", "allow-everything": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q; want %q", word, got, want)
		}
	}
}
