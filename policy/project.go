package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
)

// projectFile is one of the two settings files of a project.
type projectFile struct {
	path string
	tier Tier
}

// projectFiles returns the local file and the shared one, stronger first.
func projectFiles(project string) []projectFile {
	return []projectFile{
		{filepath.Join(project, ".srun", "settings.local.json"), TierLocal},
		{filepath.Join(project, ".srun", "settings.json"), TierProject},
	}
}

// projectFiles merges the project's files. What an untrusted file would loosen
// is left out, with one notice for the file.
func (l *loader) projectFiles(merged *layer) error {
	if l.NoProject {
		return nil
	}
	for _, f := range projectFiles(l.project) {
		data, err := readSettings(f.path)
		if absent(err) {
			continue
		}
		if err != nil {
			return &Error{File: f.path, Msg: cause(err), Err: err}
		}
		layer, err := l.parse(f.path, data, f.tier, l.project)
		if err != nil {
			return err
		}
		if err := l.distrust(layer, f.path, data); err != nil {
			return err
		}
		merged.merge(layer)
	}
	return nil
}

// distrust tightens the layer unless the user has trusted this very content.
func (l *loader) distrust(layer *layer, path string, data []byte) error {
	trusted, err := l.trusted(path, data)
	if err != nil || trusted {
		return err
	}
	dropped := layer.tighten()
	l.limits = append(l.limits, layer.limits)
	layer.limits = limitsLayer{}
	if len(dropped) > 0 {
		msg := "not trusted: " + strings.Join(dropped, ", ") + " ignored; to trust: srun --trust"
		layer.notices = append(layer.notices, Notice{layer.source, msg})
	}
	return nil
}

// tighten clears everything that could allow more than is allowed without the
// layer, and returns the keys it cleared. It must know every field of layer:
// TestTightenKnowsEveryField holds it to that.
func (l *layer) tighten() (dropped []string) {
	d := &dropped
	clearList(d, "network.allowedDomains", &l.allow)
	clearList(d, "network.allowUnixSockets", &l.unix)
	clearList(d, "network.allowMachLookup", &l.mach)
	clearList(d, "filesystem.allowWrite", &l.allowWrite)
	clearList(d, "filesystem.allowRead", &l.allowRead)
	clearList(d, "environment.allow", &l.envAllow)
	clearList(d, "ignoreViolations", &l.ignore)
	clearList(d, "profiles", &l.profiles)

	clearWhen(d, "network.strictAllowlist", &l.strict, false)
	clearWhen(d, "network.allowLocalBinding", &l.localBinding, true)
	clearWhen(d, "network.allowAllUnixSockets", &l.allUnix, true)
	clearWhen(d, "filesystem.allowGitConfig", &l.gitConfig, true)
	clearWhen(d, "enableWeakerNestedSandbox", &l.weakerNested, true)
	clearWhen(d, "enableWeakerNetworkIsolation", &l.weakerNetwork, true)
	clearWhen(d, "allowAppleEvents", &l.appleEvents, true)
	clearWhen(d, "allowPty", &l.pty, true)

	clearScalar(d, "network.httpProxyPort", &l.httpPort)
	clearScalar(d, "network.socksProxyPort", &l.socksPort)
	clearScalar(d, "network.upstreamProxy", &l.upstream)
	clearScalar(d, "network.parentProxy.noProxy", &l.noProxy)
	clearScalar(d, "network.tlsTerminate", &l.tls)

	clearAllows(d, "network.rules", &l.rules, func(r RequestRule) bool { return r.Action == Allowed })
	clearAllows(d, "permissions.allow", &l.permissions, func(p Permission) bool { return p.Action == "allow" })
	return dropped
}

func clearAllows[T any](dropped *[]string, key string, list *[]T, allows func(T) bool) {
	before := len(*list)
	if *list = slices.DeleteFunc(*list, allows); len(*list) < before {
		*dropped = append(*dropped, key)
	}
}

func clearList[T any](dropped *[]string, key string, list *[]T) {
	if len(*list) > 0 {
		*dropped, *list = append(*dropped, key), nil
	}
}

func clearWhen(dropped *[]string, key string, o *opt[bool], loosens bool) {
	if o.set && o.value == loosens {
		*dropped, *o = append(*dropped, key), opt[bool]{}
	}
}

func clearScalar[T any](dropped *[]string, key string, o *opt[T]) {
	if o.set {
		*dropped, *o = append(*dropped, key), opt[T]{}
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
