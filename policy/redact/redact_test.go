package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// secrets are such as the services give out.
var secrets = []string{
	"npm_9aB3kPq7Xz1LmN5rT8vW2yC4dF6gH0jK3sQe", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
	"3f2504e0-4f89-11d3-9a0c-0305e82c3301", "AKIAIOSFODNN7EXAMPLE42ab", "dXNlcjpodW50ZXIyMTIzNDU2Nzg5MA==",
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
}

// texts are files as people have them, and what is shown of each.
var texts = []struct {
	name       string
	format     Format
	text, want string
}{
	{"npm", INI, `registry=https://r.company.test/api/npm/npm-virtual-2024-releases/
; old: hunter2
@acme:registry = https://acme.company.test/
//r.company.test/:_authToken=short
//r.company.test/:username=jo
_auth=am86aHVudGVy
always-auth=true
proxy=http://jo:hunter2@proxy.company.test:3128/
noproxy=a.test,b.test
init-author-name=Jo
cafile=/etc/company/ca.pem
ca[]="-----BEGIN CERTIFICATE-----\nMIIB9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1\n-----END CERTIFICATE-----"
key="-----BEGIN PRIVATE KEY-----\nshort\n-----END PRIVATE KEY-----"
cache=${HOME}/.npm-cache
strict-ssl=false
https-proxy=jo:hunter2@proxy.company.test:8080
@private:registry=https://dl.test/aB3dE5fG7hJ9kL1m/acme/npm/
options=-Xmx1g -Dhttps.proxyPassword=hunter2
slash=https://jo:pa/ss@proxy.company.test/
my-pat=short
gitlabPat=short
word
`, `registry=https://r.company.test/api/npm/npm-virtual-2024-releases/
@acme:registry = https://acme.company.test/
proxy=http://proxy.company.test:3128/
noproxy=a.test,b.test
init-author-name=Jo
cafile=/etc/company/ca.pem
ca[]="-----BEGIN CERTIFICATE-----\nMIIB9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1\n-----END CERTIFICATE-----"
cache=${HOME}/.npm-cache
strict-ssl=false
https-proxy=proxy.company.test:8080
`},
	{"pip", INI, `[global]
index-url = https://pypi.company.test/simple
extra-index-url =
    https://jo:hunter2@other.company.test/simple
    https://third.company.test/simple
trusted-host =
    pypi.company.test
timeout = 60
[install]
no-binary = :all:
`, `[global]
index-url = https://pypi.company.test/simple
extra-index-url =
    https://other.company.test/simple
    https://third.company.test/simple
trusted-host =
    pypi.company.test
timeout = 60
[install]
no-binary = :all:
`},
	{"gradle", Gradle, "org.gradle.jvmargs=-Xmx2g \\\n -XX:+UseG1GC\nmavenPw=abc\nsystemProp.http.proxyHost=p.test\nsystemProp.http.proxyPassword=x\nsigning.keyId=1\n",
		"org.gradle.jvmargs=-Xmx2g \\\n -XX:+UseG1GC\nsystemProp.http.proxyHost=p.test\n"},
	{"yarn", YAML, `# mine
nodeLinker: node-modules
npmRegistryServer: "https://r.company.test"
npmAuthToken: hunter2
npmScopes:
  acme:
    npmRegistryServer: "https://acme.company.test"
    npmAuthToken: "hunter2"
    npmAlwaysAuth: true
npmRegistries:
  "https://r.company.test":
    npmAuthIdent: jo:hunter2
packageExtensions:
  "foo@*":
    dependencies:
      bar: "^1.0.0"
plugins:
  - path: .yarn/plugins/x.cjs
    spec: "@yarnpkg/x"
supportedArchitectures:
  - x64
`, `nodeLinker: node-modules
npmRegistryServer: "https://r.company.test"
npmScopes:
  acme:
    npmRegistryServer: "https://acme.company.test"
npmRegistries:
  "https://r.company.test":
packageExtensions:
  "foo@*":
    dependencies:
      bar: "^1.0.0"
plugins:
  - path: .yarn/plugins/x.cjs
    spec: "@yarnpkg/x"
supportedArchitectures:
  - x64
`},
	{"yarn, more of YAML", YAML, "nodeLinker: pnp\nnpmScopes: {acme: {npmAuthToken: x}}\n", ""},
	{"yarn, a folded secret", YAML, "npmAuthToken: >\n  abc\n  def\nnodeLinker: pnp\n", ""},
	{"maven", XML, `<?xml version="1.0"?>
<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><!-- hunter2 -->
<servers><server><id>r</id><password>hunter2</password></server></servers>
<mirrors><mirror><id>r</id><url>https://r.company.test/maven</url></mirror></mirrors>
<proxies><proxy><host>p.test</host><username>jo</username><password>hunter2</password></proxy></proxies>
<profiles><profile><id>x</id><properties><deploy.token>hunter2</deploy.token><a>b</a></properties></profile></profiles>
</settings>
`, `<?xml version="1.0"?>
<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">

<mirrors><mirror><id>r</id><url>https://r.company.test/maven</url></mirror></mirrors>
<proxies><proxy><host>p.test</host></proxy></proxies>
<profiles><profile><id>x</id></profile></profiles>
</settings>
`},
	{"nuget", XML, `<configuration><packageSources><add key="r" value="https://r.company.test/v3" /></packageSources><packageSourceCredentials><r><add key="ClearTextPassword" value="x" /></r></packageSourceCredentials><config><add key="http_proxy.password" value="x" /><add key="globalPackagesFolder" value="/p" /></config></configuration>`,
		`<configuration><packageSources><add key="r" value="https://r.company.test/v3" /></packageSources><config><add key="globalPackagesFolder" value="/p" /></config></configuration>`},
	{"no XML", XML, "<settings><a>hunter2", ""},
	{"docker", DockerJSON, `{"auths": {"r.test": {"auth": "x"}}, "credsStore": "desktop", "HttpHeaders": {"X": "y"},
"proxies": {"default": {"httpProxy": "http://jo:hunter2@p.test"}}, "detachKeys": "ctrl-e", "plugins": {"debug": {"hooks": "exec"}}}`,
		`{
	"detachKeys": "ctrl-e",
	"proxies": {
		"default": {
			"httpProxy": "http://p.test"
		}
	}
}
`},
	{"a key in place of settings", INI, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE=\nAAAA==\n-----END OPENSSH PRIVATE KEY-----\n", ""},
}

func TestText(t *testing.T) {
	for _, test := range texts {
		got, ok := Text(test.format, []byte(test.text))
		if d := cmp.Diff(test.want, got); d != "" || ok != (test.want != "") {
			t.Errorf("%s: %v\n%s", test.name, ok, d)
		}
	}
}

// A secret goes whatever its key is called, and a setting beside it stays.
func TestNoSecret(t *testing.T) {
	for format, text := range map[Format]string{
		INI:        "a=b\nx=%[1]s\nlist =\n  %[1]s\n[s-%[1]s]\n%[1]s=1\nu=https://r.test/?t=%[1]s\n# %[1]s\nq=\"%[1]s\"\nc=https://%[1]s@r.test/\n",
		Gradle:     "org.gradle.a=b\norg.gradle.x=%[1]s\nplain=%[1]s\n",
		YAML:       "a: b\nx: %[1]s\nl:\n  - %[1]s\n  - y: \"%[1]s\"\n# %[1]s\n\"%[1]s\": 1\n",
		XML:        `<s><a>b</a><x>%[1]s</x><y z="%[1]s"/><!-- %[1]s --><u>https://r.test/%[1]s</u></s>`,
		DockerJSON: `{"psFormat": "b", "x": "%[1]s", "aliases": ["%[1]s"], "features": {"%[1]s": 1, "p": {"q": "%[1]s"}}}`,
	} {
		for _, secret := range secrets {
			shown, ok := Text(format, fmt.Appendf(nil, text, secret))
			if strings.Contains(shown, secret) || !ok {
				t.Errorf("%d: %v, %q is in\n%s", format, ok, secret, shown)
			}
			if !strings.Contains(shown, "b") {
				t.Errorf("%d: nothing is left:\n%s", format, shown)
			}
		}
	}
}

// What is secret by its key is gone, whatever surrounds it.
func FuzzText(f *testing.F) {
	f.Add("a=b\n", "\n c=d")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2hunter2"
		if strings.ContainsAny(before, "=:<>\"'&") {
			return // what may make a part of something else of it
		}
		for format, setting := range map[Format]string{INI: "_authToken=", YAML: "npmAuthToken: "} {
			if shown, _ := Text(format, []byte(before+"\n"+setting+secret+"\n"+after)); strings.Contains(shown, secret) {
				t.Errorf("%q", shown)
			}
		}
	})
}
