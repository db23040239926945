package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
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
		msg := "not trusted: " + strings.Join(dropped, ", ") + " ignored"
		layer.notices = append(layer.notices, Notice{layer.source, msg, RemedyTrust})
	}
	return nil
}

// tighten leaves of a layer what denies, with its limits kept aside until all
// others are known, and returns the keys that it cleared.
func (l *loader) tighten(layer *layer) (dropped []string) {
	aside := *layer
	l.untrusted = append(l.untrusted, &aside)
	return layer.tighten()
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
