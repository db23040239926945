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
	err := l.eachFile(l.project, func(layer *layer, path string, data []byte) error {
		if err := l.distrust(layer, path, data); err != nil {
			return err
		}
		merged.merge(layer)
		return nil
	})
	if err != nil {
		return err
	}
	return l.filesAbove(merged)
}

// filesAbove merges what the projects around this one deny, and nothing else
// of them: a command may make a directory look like a project of its own, and
// must not leave its denials behind by that.
func (l *loader) filesAbove(merged *layer) error {
	for at := l.project; at != filepath.Dir(at); {
		at = filepath.Dir(at)
		err := l.eachFile(at, func(layer *layer, _ string, _ []byte) error {
			l.tighten(layer)
			layer.notices = nil // its allows are not this project's, trusted or not
			merged.merge(layer)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachFile reads the settings files of one project, stronger first.
func (l *loader) eachFile(project string, use func(layer *layer, path string, data []byte) error) error {
	for _, f := range projectFiles(project) {
		data, err := readProject(f.path)
		if absent(err) {
			continue
		}
		if err != nil {
			return &Error{File: f.path, Msg: cause(err), Err: err}
		}
		layer, err := l.parse(f.path, data, f.tier, project)
		if err != nil {
			return err
		}
		if err := use(layer, f.path, data); err != nil {
			return err
		}
	}
	return nil
}

// distrust tightens the layer unless the user has trusted this very content.
func (l *loader) distrust(layer *layer, path string, data []byte) error {
	trusted, err := l.trusted(path, data)
	if err != nil || trusted {
		return err
	}
	if dropped := l.tighten(layer); len(dropped) > 0 {
		msg := "not trusted: " + strings.Join(dropped, ", ") + " ignored; to trust: srun --trust"
		layer.notices = append(layer.notices, Notice{layer.source, msg})
	}
	return nil
}

// tighten leaves of a layer what denies, with its limits kept aside until all
// others are known, and returns the keys that it cleared.
func (l *loader) tighten(layer *layer) (dropped []string) {
	dropped = layer.tighten()
	l.limits = append(l.limits, layer.limits)
	layer.limits = limitsLayer{}
	return dropped
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
