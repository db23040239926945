package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Load reads every settings file that applies, merges it with the flags and
// returns the policy, with what the user should be told. From strongest to
// weakest: managed settings, flags and --settings, the two project files, what
// projects around it deny, the user's file. Of several managed files, and of several --settings, the later
// one is stronger.
//
// Relative paths are below the project in project files, and below the
// command's directory everywhere else. An error is an *Error where a setting
// is to blame; no policy comes with it.
func Load(opts Options) (*Policy, []Notice, error) {
	o, err := opts.normal()
	if err != nil {
		return nil, nil, err
	}
	l := &loader{Options: o, project: findProject(o.Dir)}
	merged, err := l.layers()
	if err != nil {
		return nil, nil, err
	}
	p := merged.build(o, l.project)
	notices, err := p.check(merged.notices)
	if err != nil {
		return nil, nil, err
	}
	return p, notices, nil
}

type loader struct {
	Options
	project   string
	untrusted []*layer // files whose limits count where they are lower
}

// projectMarks make the directory that holds one a project.
var projectMarks = []string{".srun", ".git"}

// findProject returns the nearest directory at or above dir that holds .srun
// or .git, else dir.
func findProject(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		for _, name := range projectMarks {
			if _, err := os.Lstat(filepath.Join(at, name)); err == nil {
				return at
			}
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// layers reads all sources, strongest first, into one.
func (l *loader) layers() (*layer, error) {
	merged := &layer{}
	for _, read := range []func(*layer) error{l.managed, l.flags, l.projectFiles, l.user} {
		if err := read(merged); err != nil {
			return nil, err
		}
	}
	for _, untrusted := range l.untrusted {
		merged.lower(untrusted)
	}
	return merged, nil
}

func (l *loader) managed(merged *layer) error {
	if l.ManagedDir == "" {
		return nil
	}
	files := []string{filepath.Join(l.ManagedDir, "managed-settings.json")}
	dir := filepath.Join(l.ManagedDir, "managed-settings.d")
	entries, err := os.ReadDir(dir)
	if err != nil && !absent(err) {
		return &Error{File: dir, Msg: cause(err), Err: err}
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	for _, path := range slices.Backward(files) {
		if _, err := l.file(merged, path, TierManaged, l.Dir); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) flags(merged *layer) error {
	flags, err := l.flagLayer()
	if err != nil {
		return err
	}
	merged.merge(flags)
	if l.live != nil {
		layer, err := l.parse(LiveFlag, l.live, TierFlag, l.Dir)
		if err != nil {
			return err
		}
		merged.merge(layer)
	}
	for _, path := range slices.Backward(l.SettingsFiles) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.Dir, path)
		}
		data, err := readNamed(path)
		if err != nil {
			return &Error{Flag: "--settings", Msg: printable(path) + ": " + cause(err), Err: err}
		}
		layer, err := l.parse(path, data, TierFlag, l.Dir)
		if err != nil {
			return err
		}
		merged.merge(layer)
	}
	return nil
}

func (l *loader) user(merged *layer) error {
	path := l.userFile()
	if path == "" {
		return nil
	}
	_, err := l.file(merged, path, TierUser, l.Dir)
	return err
}

// file merges a settings file that need not be there.
func (l *loader) file(merged *layer, path string, tier Tier, base string) (found bool, err error) {
	data, err := readSettings(path)
	if absent(err) {
		return false, nil
	}
	if err != nil {
		return false, &Error{File: path, Msg: cause(err), Err: err}
	}
	layer, err := l.parse(path, data, tier, base)
	if err != nil {
		return true, err
	}
	merged.merge(layer)
	return true, nil
}

// parse reads the content of one file.
func (l *loader) parse(path string, data []byte, tier Tier, base string) (*layer, error) {
	r := &reader{
		layer: &layer{source: Source{Tier: tier, File: path}},
		path:  path, tier: tier, base: base, home: l.Home, data: data,
	}
	if err := r.parseSettings(); err != nil {
		return nil, err
	}
	r.noteOtherPrograms()
	return r.layer, nil
}

// noteOtherPrograms tells of keys that were read and change nothing.
func (r *reader) noteOtherPrograms() {
	l := r.layer
	var reasons []string
	keys := make(map[string][]string)
	for _, u := range l.unused {
		if keys[u.why] == nil {
			reasons = append(reasons, u.why)
		}
		keys[u.why] = append(keys[u.why], u.key)
	}
	for _, why := range reasons {
		l.notices = append(l.notices, Notice{Source: l.source, Msg: strings.Join(keys[why], ", ") + ": " + why + ", not used"})
	}
	var loose []string
	if l.enabled.set && !l.enabled.value {
		loose = append(loose, "enabled")
	}
	if l.unsandboxed.value {
		loose = append(loose, "allowUnsandboxedCommands")
	}
	if len(l.excluded) > 0 {
		loose = append(loose, "excludedCommands")
	}
	if len(loose) > 0 {
		msg := strings.Join(loose, ", ") + " ignored: no file makes srun run a command unsandboxed"
		l.notices = append(l.notices, Notice{Source: l.source, Msg: msg})
	}
}

// absent reports that no file is there, or that its directory is none.
func absent(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// cause is the reason of a file error without the operation and path before it.
func cause(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Sprintf("cannot %s it: %v", path.Op, path.Err)
	}
	return err.Error()
}
