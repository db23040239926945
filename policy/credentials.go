package policy

import (
	"path/filepath"
	"slices"
	"strings"

	"srun/policy/pathtree"
	"srun/policy/redact"
)

// credential is a path of the default read-deny list.
type credential struct {
	path   string // below the home, or absolute
	goos   string // "" is every system
	reason string
}

// credentials is the documented default read-deny list of section 5. It is
// static data: nothing is built when the package is imported.
var credentials = [...]credential{
	{".ssh", "", "SSH private keys, and hosts to try them on"},
	{".gnupg", "", "GnuPG private keys"},
	{".pki", "", "the NSS certificate store"},
	{".age", "", "age identities"},
	{".config/age", "", "age identities"},
	{".config/sops", "", "keys of encrypted settings"},
	{".password-store", "", "pass, the password manager"},
	{".netrc", "", "logins by host, for curl, git and others"},
	{"_netrc", "", "the same under its other name"},
	{".git-credentials", "", "git logins in plain text"},
	{".config/git/credentials", "", "git logins in plain text"},
	{".authinfo", "", "Emacs logins"},
	{".authinfo.gpg", "", "Emacs logins"},

	{".aws", "", "AWS keys and sessions"},
	{".azure", "", "Azure CLI tokens"},
	{".config/gcloud", "", "Google Cloud tokens"},
	{".config/doctl", "", "DigitalOcean tokens"},
	{".config/hcloud", "", "Hetzner Cloud tokens"},
	{".config/scw", "", "Scaleway keys"},
	{".config/linode-cli", "", "Linode tokens"},
	{".config/oci", "", "Oracle Cloud keys"},
	{".oci", "", "Oracle Cloud keys"},
	{".bluemix", "", "IBM Cloud tokens"},
	{".aliyun", "", "Alibaba Cloud keys"},
	{".s3cfg", "", "S3 keys"},
	{".boto", "", "S3 and Google storage keys"},
	{".config/rclone", "", "logins of remote storage"},
	{".fly", "", "Fly.io tokens"},
	{".config/heroku", "", "Heroku tokens"},
	{".config/netlify", "", "Netlify tokens"},
	{".netlify", "", "Netlify tokens"},
	{".vercel", "", "Vercel tokens"},
	{".wrangler", "", "Cloudflare tokens"},
	{".config/.wrangler", "", "Cloudflare tokens"},
	{".terraform.d/credentials.tfrc.json", "", "Terraform Cloud tokens"},
	{".terraformrc", "", "may hold Terraform Cloud tokens"},
	{".pulumi/credentials.json", "", "Pulumi tokens"},
	{".vault-token", "", "the HashiCorp Vault session"},
	{".kube", "", "Kubernetes cluster logins"},
	{".docker/config.json", "", "registry logins"},
	{".config/containers/auth.json", "", "registry logins of podman"},
	{".config/helm/registry", "", "registry logins of Helm"},

	{".config/gh", "", "GitHub CLI tokens"},
	{".config/hub", "", "GitHub tokens of hub"},
	{".config/glab-cli", "", "GitLab CLI tokens"},
	{".npmrc", "", "npm registry tokens"},
	{".yarnrc.yml", "", "yarn registry tokens"},
	{".pypirc", "", "PyPI upload logins"},
	{".config/pip/pip.conf", "", "logins in pip's index URLs"},
	{".pip/pip.conf", "", "logins in pip's index URLs"},
	{".gem/credentials", "", "RubyGems keys"},
	{".local/share/gem/credentials", "", "RubyGems keys"},
	{".cargo/credentials", "", "crates.io tokens"},
	{".cargo/credentials.toml", "", "crates.io tokens"},
	{".m2/settings.xml", "", "Maven server logins"},
	{".m2/settings-security.xml", "", "Maven's master password"},
	{".gradle/gradle.properties", "", "where Gradle users keep signing keys and logins"},
	{".composer/auth.json", "", "Composer logins"},
	{".config/composer/auth.json", "", "Composer logins"},
	{".nuget/NuGet/NuGet.Config", "", "NuGet feed logins"},
	{".config/NuGet/NuGet.Config", "", "NuGet feed logins"},
	{".huggingface/token", "", "Hugging Face token"},
	{".cache/huggingface/token", "", "Hugging Face token"},
	{".kaggle", "", "Kaggle keys"},
	{".pgpass", "", "PostgreSQL passwords"},
	{".my.cnf", "", "MySQL passwords"},
	{".mylogin.cnf", "", "MySQL passwords"},

	{".bash_history", "", "typed passwords and tokens"},
	{".zsh_history", "", "typed passwords and tokens"},
	{".local/share/fish/fish_history", "", "typed passwords and tokens"},
	{".python_history", "", "typed passwords and tokens"},
	{".node_repl_history", "", "typed passwords and tokens"},
	{".psql_history", "", "typed passwords"},
	{".mysql_history", "", "typed passwords"},

	{".claude/.credentials.json", "", "Claude Code's session"},
	{".codex/auth.json", "", "Codex's session"},
	{".gemini/oauth_creds.json", "", "Gemini CLI's session"},
	{".config/github-copilot", "", "Copilot's session"},

	{".mozilla", "linux", "Firefox cookies and passwords"},
	{".config/google-chrome", "linux", "Chrome cookies and passwords"},
	{".config/chromium", "linux", "Chromium cookies and passwords"},
	{".config/BraveSoftware", "linux", "Brave cookies and passwords"},
	{".config/microsoft-edge", "linux", "Edge cookies and passwords"},
	{".config/vivaldi", "linux", "Vivaldi cookies and passwords"},
	{".config/opera", "linux", "Opera cookies and passwords"},
	{"snap/firefox", "linux", "Firefox cookies and passwords"},
	{"snap/chromium", "linux", "Chromium cookies and passwords"},
	{".var/app/org.mozilla.firefox", "linux", "Firefox cookies and passwords"},
	{".var/app/com.google.Chrome", "linux", "Chrome cookies and passwords"},
	{".thunderbird", "linux", "mail and its passwords"},
	{".local/share/keyrings", "linux", "the GNOME keyring"},
	{".local/share/kwalletd", "linux", "the KDE wallet"},
	{".config/1Password", "linux", "1Password's data"},
	{".config/op", "", "1Password CLI sessions"},
	{".config/Bitwarden", "linux", "Bitwarden's data"},
	{".config/Bitwarden CLI", "linux", "Bitwarden's sessions"},
	{".config/keepassxc", "linux", "KeePassXC's settings and recent databases"},
	{".electrum", "", "a Bitcoin wallet"},
	{".bitcoin", "linux", "a Bitcoin wallet"},
	{".ethereum", "linux", "Ethereum keys"},

	{"Library/Keychains", "darwin", "the login keychain"},
	{"Library/Cookies", "darwin", "Safari's cookies"},
	{"Library/Safari", "darwin", "Safari's data"},
	{"Library/Containers/com.apple.Safari", "darwin", "Safari's data"},
	{"Library/Mail", "darwin", "mail"},
	{"Library/Messages", "darwin", "messages, with one-time codes"},
	{"Library/Application Support/Google/Chrome", "darwin", "Chrome cookies and passwords"},
	{"Library/Application Support/Chromium", "darwin", "Chromium cookies and passwords"},
	{"Library/Application Support/BraveSoftware", "darwin", "Brave cookies and passwords"},
	{"Library/Application Support/Microsoft Edge", "darwin", "Edge cookies and passwords"},
	{"Library/Application Support/Firefox", "darwin", "Firefox cookies and passwords"},
	{"Library/Application Support/Arc", "darwin", "Arc cookies and passwords"},
	{"Library/Application Support/1Password", "darwin", "1Password's data"},
	{"Library/Group Containers/2BUA8C4S2C.com.1password", "darwin", "1Password's data"},

	{"/etc/shadow", "linux", "password hashes, when srun runs as root"},
	{"/etc/gshadow", "linux", "password hashes, when srun runs as root"},
	{"/etc/shadow-", "linux", "password hashes, when srun runs as root"},
	{"/etc/gshadow-", "linux", "password hashes, when srun runs as root"},
	{"/etc/ssh/ssh_host_rsa_key", "", "the host's SSH key, when srun runs as root"},
	{"/etc/ssh/ssh_host_ecdsa_key", "", "the host's SSH key, when srun runs as root"},
	{"/etc/ssh/ssh_host_ed25519_key", "", "the host's SSH key, when srun runs as root"},
	{"/etc/ssh/ssh_host_dsa_key", "", "the host's SSH key, when srun runs as root"},
	{"/etc/ssl/private", "linux", "TLS keys, when srun runs as root"},
	{"/etc/kubernetes", "linux", "cluster logins, when srun runs as root"},
	{"/var/run/secrets", "linux", "the pod's service account"},
	{"/run/secrets", "linux", "secrets mounted into a container"},
}

// standIn returns what the command sees in the place of a credential. Nearly
// always that is an error, which says why a login does not work. But these make
// their tool fail in all that it does, also where nobody logs in.
func standIn(path string) string {
	switch path {
	case ".m2/settings.xml":
		return "<settings/>\n"
	case ".m2/settings-security.xml":
		return "<settingsSecurity/>\n"
	case ".nuget/NuGet/NuGet.Config", ".config/NuGet/NuGet.Config":
		return "<configuration/>\n"
	case ".docker/config.json", ".config/containers/auth.json", ".composer/auth.json", ".config/composer/auth.json",
		".terraform.d/credentials.tfrc.json":
		return "{}\n"
	case ".cargo/credentials", ".cargo/credentials.toml", ".gradle/gradle.properties", ".terraformrc", ".npmrc",
		".yarnrc.yml", ".netrc", "_netrc", ".pypirc", ".my.cnf":
		return "\n"
	case ".config/pip/pip.conf", ".pip/pip.conf":
		return "\n"
	case ".kube", ".config/gh", ".config/gcloud", ".config/helm/registry":
		return EmptyDir
	}
	return ""
}

// settingsIn returns how a credential is written that holds settings as well, which the
// command needs: a company's registry, a proxy, a mirror.
func settingsIn(path string) redact.Format {
	switch path {
	case ".npmrc", ".config/pip/pip.conf", ".pip/pip.conf":
		return redact.INI
	case ".gradle/gradle.properties":
		return redact.Gradle
	case ".yarnrc.yml":
		return redact.YAML
	case ".m2/settings.xml", ".nuget/NuGet/NuGet.Config", ".config/NuGet/NuGet.Config":
		return redact.XML
	case ".docker/config.json":
		return redact.DockerJSON
	}
	return redact.None
}

// defaultDenyRead returns the table's rules for the system and every home. The
// paths of a home share one string, for this is on every start's way.
func (o Options) defaultDenyRead() []PathRule {
	rules := make([]PathRule, 0, len(credentials)*(1+len(o.OtherHomes))+len(o.Credentials))
	rules = appendCredentials(rules, o.Home, o.GOOS, true)
	for _, home := range o.OtherHomes {
		rules = appendCredentials(rules, home, o.GOOS, false)
	}
	for _, dir := range o.cacheDirs() {
		rules = append(rules, defaultRule(dir, "caches of srun's other runs"))
	}
	for _, path := range o.Credentials {
		if slices.ContainsFunc(rules, func(r PathRule) bool { return r.Path == path }) {
			continue
		}
		rules = append(rules, defaultRule(path, "keys of another user, when srun runs as root"))
	}
	return rules
}

// public is what of a hidden directory is no secret.
var public = []string{".ssh/known_hosts", ".ssh/known_hosts2", ".ssh/*.pub"}

// defaultAllowRead shows it, but for what a rule of the user's denies.
func (o Options) defaultAllowRead(denied []PathRule) (rules []PathRule) {
	for _, home := range append([]string{o.Home}, o.OtherHomes...) {
		if home == "" || covers(denied, filepath.Join(home, ".ssh")) {
			continue
		}
		for _, name := range public {
			rule := defaultRule(filepath.Join(home, name), "no secret")
			if strings.Contains(name, "*") {
				rule.Path, rule.Glob, rule.Literal = escapeGlob(home)+"/"+name, true, false
			}
			rules = append(rules, rule)
		}
	}
	return rules
}

// covers tells whether a rule of a list is about a path or what it is in.
func covers(list []PathRule, path string) bool {
	for _, r := range list {
		one := pathtree.NewRules([]pathtree.Rule{{Path: r.Path, Glob: r.Glob, Effects: pathtree.Effects{DenyWrite: true}}})
		if one.Decide(path).NoWrite {
			return true
		}
	}
	return false
}

func defaultRule(path, reason string) PathRule {
	return PathRule{Path: path, Literal: true, Source: Source{Tier: TierDefault}, Reason: reason}
}

// appendCredentials adds what lies in home, which may be "", and with system
// what lies elsewhere.
func appendCredentials(rules []PathRule, home, goos string, system bool) []PathRule {
	var all strings.Builder
	all.Grow(len(credentials) * (len(home) + 32))
	for i := range credentials {
		c := &credentials[i]
		switch {
		case c.goos != "" && c.goos != goos:
		case c.path[0] == '/':
			if system {
				rules = append(rules, defaultRule(c.path, c.reason))
			}
		case home != "":
			from := all.Len()
			if home != "/" {
				all.WriteString(home)
			}
			all.WriteByte('/')
			all.WriteString(c.path)
			r := defaultRule(all.String()[from:], c.reason)
			r.StandIn, r.Settings = standIn(c.path), settingsIn(c.path)
			rules = append(rules, r)
		}
	}
	return rules
}
