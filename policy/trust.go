package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// trustRecord is StateHome/srun/trust.json: the SHA-256 of the content that
// the user trusted, by the file's absolute path.
type trustRecord struct {
	Version int               `json:"version"`
	Files   map[string]string `json:"files"`
}

const trustVersion = 1

// Trust records the project's settings files as they are now and returns their
// paths; none is an error. From then on they may loosen, until they change.
func Trust(opts Options) ([]string, error) {
	o, err := opts.normal()
	if err != nil {
		return nil, err
	}
	l := &loader{Options: o, project: findProject(o.Dir)}
	hashes := make(map[string]string)
	var paths []string
	for _, f := range projectFiles(l.project) {
		data, err := readProject(f.path)
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, &Error{File: f.path, Msg: cause(err), Err: err}
		}
		if _, err := l.parse(f.path, data, f.tier, l.project); err != nil {
			return nil, err
		}
		paths, hashes[f.path] = append(paths, f.path), hashOf(data)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("nothing to trust: no settings file in %s", printable(filepath.Join(l.project, ".srun")))
	}
	return paths, o.recordTrust(hashes)
}

// trusted reports whether the user trusted this content at this path.
func (o Options) trusted(path string, data []byte) (bool, error) {
	file := o.trustFile()
	if file == "" {
		return false, nil
	}
	record, err := readTrust(file)
	if err != nil {
		return false, err
	}
	return record.Files[path] == hashOf(data), nil
}

func (o Options) trustFile() string {
	if o.StateHome == "" {
		return ""
	}
	return filepath.Join(o.StateHome, "srun", "trust.json")
}

// readTrust returns an empty record where there is no file. A broken record
// is an error: it must not count as "nothing is trusted" and be replaced.
func readTrust(path string) (trustRecord, error) {
	record := trustRecord{Version: trustVersion, Files: map[string]string{}}
	data, err := readSettings(path)
	if absent(err) {
		return record, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	if err == nil && record.Version != trustVersion {
		err = fmt.Errorf("version %d is not known", record.Version)
	}
	if err != nil {
		return record, &Error{
			File: path, Msg: "trust record: " + cause(err),
			Remedy: RemedyForget, Err: err,
		}
	}
	if record.Files == nil {
		record.Files = map[string]string{}
	}
	return record, nil
}

// recordTrust adds hashes to the record. A lock keeps two writers from losing
// each other's entries.
func (o Options) recordTrust(hashes map[string]string) error {
	file := o.trustFile()
	if file == "" {
		return errors.New("trust record: no home directory is known")
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("trust record: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("trust record: %w", err)
	}
	defer root.Close()
	defer lockDir(root)()
	record, err := readTrust(file)
	if err != nil {
		return err
	}
	for path, hash := range hashes {
		record.Files[path] = hash
	}
	data, err := json.MarshalIndent(record, "", "  ")
	if err == nil {
		err = replaceFile(root, filepath.Base(file), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("trust record: %w", err)
	}
	return nil
}

// lockDir takes an exclusive lock on a directory itself, so that no lock file
// is left behind. A file system without locks is used without: two writers at
// once may then lose one answer, and nothing else.
func lockDir(root *os.Root) (unlock func()) {
	f, err := root.Open(".")
	if err != nil {
		return func() {}
	}
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX) == syscall.EINTR {
	}
	return func() { f.Close() }
}
