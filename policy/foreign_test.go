package policy

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryKeyOfSrtIsKnown(t *testing.T) {
	file, err := filepath.Abs("testdata/settings/srt-0.0.83.json")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.SettingsFiles = []string{file}
	p, notices := w.load()
	want := []string{
		file + ": network.allowPlaintextHeaderSet: for srt's filterRequest, not used",
		file + ": network.tlsTerminate.maxTunnels, network.tlsTerminate.handshakeTimeoutMs: for srt's own proxy, not used",
		file + ": credentials.allowPlaintextInject, credentials.sigv4: for masked credentials, not used",
		file + ": allowNestedUserNamespaces: for user namespaces inside the sandbox, not used",
		file + ": ripgrep, mandatoryDenySearchDepth, seccomp, bwrapPath, socatPath, javaAgentJarPath, windows, git: for srt's own helpers, not used",
	}
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("notices:\n%s", diff)
	}
	if got := p.ReadVerdict(w.path("home/.netrc")); got.Verdict != Denied {
		t.Errorf("ReadVerdict(~/.netrc) = %+v", got)
	}
	if _, withheld := p.Environment.Withheld("X"); !withheld {
		t.Error("the variable X is handed on")
	}
}

// What holds anyway, or asks for nothing, is taken without a word, in a file
// that is not trusted too.
func TestKeysThatNeedNoWord(t *testing.T) {
	w := newWorld(t)
	w.write(sharedFile, `{"network": {"requireHostMatch": true, "refuseOpaqueTunnels": true, "ambiguousRequestTarget": "refuse",
		"stripResponseHeaders": [], "allowPlaintextHeaderSet": false}, "allowNestedUserNamespaces": false,
		"credentials": {"awsPairs": [], "allowPlaintextInject": false}}`)
	if _, notices := w.load(); len(notices) != 0 {
		t.Errorf("notices = %q", notices)
	}
}

func TestEnabledPlatforms(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, `{"sandbox": {"enabledPlatforms": ["macos"]}}`)
	_, notices := w.load()
	want := []string{userFile + ":1: sandbox.enabledPlatforms ignored: no file makes srun run a command unsandboxed"}
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("notices:\n%s", diff)
	}
}

func TestKeysOfOthersAreRefusedByName(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"network": {"filterRequest": {}}}`, "network.filterRequest: a function of srt's library, which no file can hold; network.rules says what may be requested"},
		{`{"network": {"stripResponseHeaders": ["set-cookie"]}}`, "network.stripResponseHeaders: srun passes all headers of a response on"},
		{`{"network": {"stripResponseHeaders": "x"}}`, "network.stripResponseHeaders: is text; it takes a list of text"},
		{`{"network": {"ambiguousRequestTarget": "normalize"}}`, `network.ambiguousRequestTarget: srun refuses such a request where a rule names paths; write "refuse"`},
		{`{"network": {"requireHostMatch": "yes"}}`, "network.requireHostMatch: is text; it takes true or false"},
		{`{"credentials": {"awsPairs": [{}]}}`, "credentials.awsPairs: masked credentials are not supported: AWS requests are not signed anew"},
		{`{"credentials": {"envVars": [{"name": "X", "mode": "mask", "injectHosts": []}]}}`, `credentials.envVars: mode "mask" is not supported; write "deny"`},
	} {
		w := newWorld(t)
		w.write(userFile, tt.text)
		if got := w.loadError(); got != userFile+":1: "+tt.want {
			t.Errorf("settings %s:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// A suggestion never leads to a wider key.
func TestSuggestions(t *testing.T) {
	for _, tt := range []struct{ key, want string }{
		{"network.allowedDomain", "network.allowedDomains"},
		{"network.strictAllowList", "network.strictAllowlist"},
		{"network.allowPlaintextHeaders", "network.allowPlaintextHeaderSet"},
		{"network.allowEverything", ""},
		{"network.allowSockets", ""},
		{"network.allow", ""}, // of environment and permissions both
		{"network.socksPort", ""},
		{"filesystem.denyExec", ""},
		{"filesystem.deniedRead", "filesystem.denyRead"},
		{"credentials.injectHosts", ""},
		{"timeout", "limits.timeout"},
		{"sandbox.allowWrite", "sandbox.filesystem.allowWrite"},
		{"sandbox.timeout", ""},
	} {
		parts := strings.Split(tt.key, ".")
		text := "1"
		for i := range parts {
			text = `{"` + parts[len(parts)-1-i] + `": ` + text + `}`
		}
		w := newWorld(t)
		w.write(userFile, text)
		want := userFile + ":1: " + tt.key + ": unknown key"
		if tt.want != "" {
			want += "; did you mean " + tt.want + "?"
		}
		if got := w.loadError(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// farSlip must be less than what is between two keys of which one is wider.
func TestNoSlipFromDenyToAllow(t *testing.T) {
	for _, a := range table() {
		for _, b := range table() {
			if strings.HasPrefix(leaf(a.key), "den") && strings.HasPrefix(leaf(b.key), "allow") && distance(leaf(a.key), leaf(b.key)) <= farSlip {
				t.Errorf("%s and %s differ by %d letters", a.key, b.key, distance(leaf(a.key), leaf(b.key)))
			}
		}
	}
}
