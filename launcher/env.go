package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy"
)

// environment is what the command gets: the caller's variables as the policy
// lets them through, and srun's own, which win over all but --env NAME=VALUE.
func environment(p *policy.Policy, base []string, o Own, c *caches) []string {
	added, names := []string(nil), map[string]bool{}
	for _, kv := range append(o.variables(), c.env...) {
		if name, _, _ := strings.Cut(kv, "="); !p.Environment.Sets(name) {
			added, names[name] = append(added, kv), true
		}
	}
	var env []string
	for _, kv := range p.Environment.Filter(base) {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case names[name]:
		case p.Environment.Sets(name):
			env = append(env, kv)
		case name == "TMP" || name == "TEMP" || name == "TEMPDIR":
			env = append(env, name+"="+o.TempDir) // the host's would not be writable
		default:
			env = append(env, kv)
		}
	}
	env = append(env, added...)
	if p.Filesystem.Caches == policy.CachesOff || p.Filesystem.Caches == policy.CachesPrivate && c.lock == nil {
		return coldCaches(p, env, o.TempDir)
	}
	return env
}

// environ is the caller's environment.
func (c *Cmd) environ() []string {
	if c.Env == nil {
		return os.Environ()
	}
	return c.Env
}

// coldCaches gives tools that fail without a writable directory of their own one that
// goes with TMPDIR, where they have no layer.
func coldCaches(p *policy.Policy, env []string, tempDir string) []string {
	home := policy.CacheHome(p.Home, env)
	for _, c := range []struct{ variable, path, name string }{
		{"npm_config_cache", filepath.Join(p.Home, ".npm"), "npm-cache"},
		{"GOCACHE", filepath.Join(home, "go-build"), "go-build"},
	} {
		if has(env, c.variable) || p.Home == "" || p.WriteVerdict(c.path).Verdict == policy.Allowed {
			continue
		}
		env = append(env, c.variable+"="+filepath.Join(tempDir, c.name))
	}
	return env
}

func has(env []string, name string) bool {
	return slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
}

// variables are srun's. With a port of 0 there is no proxy, and no variable
// names one.
func (o Own) variables() []string {
	env := []string{"SRUN=1", "SANDBOX_RUNTIME=1", "TMPDIR=" + o.TempDir}
	if o.Bundle != "" {
		env = append(env, trustVariables(o.Bundle)...)
	}
	proxyPort := o.ProxyPort
	if proxyPort == 0 {
		return env
	}
	http := fmt.Sprintf("http://127.0.0.1:%d", proxyPort)
	hostPort := strings.TrimPrefix(http, "http://")
	for name, value := range map[string]string{
		"http_proxy": http, "https_proxy": http, "ftp_proxy": http, "all_proxy": http,
		"grpc_proxy": http, "no_proxy": "localhost,127.0.0.1,::1,127.0.0.0/8,0.0.0.0,.localhost",
	} {
		env = append(env, name+"="+value, strings.ToUpper(name)+"="+value)
	}
	return append(env,
		"RSYNC_PROXY="+hostPort,
		"CLOUDSDK_PROXY_TYPE=http", "CLOUDSDK_PROXY_ADDRESS=127.0.0.1", fmt.Sprintf("CLOUDSDK_PROXY_PORT=%d", proxyPort),
		"NODE_USE_ENV_PROXY=1", // Node.js 24 and later heed the variables with it
	)
}
