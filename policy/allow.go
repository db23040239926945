package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// AllowAlways adds a host to network.allowedDomains of the project's
// .srun/settings.local.json, for the answer "don't ask again", and trusts the
// file as it then is. The rule covers every port of the host, but of localhost
// only the port that was asked about.
//
// The user's comments and layout stay. A file that is there and not trusted is
// an error: one answer must not trust the rest of it. So is a symbolic link in
// the place of .srun or the file. On any error the old content is intact. It
// returns the file, which git status does not show.
func AllowAlways(opts Options, hp HostPort) (path string, err error) {
	o, err := opts.normal()
	if err != nil {
		return "", err
	}
	if o.NoProject {
		return "", errors.New("cannot allow " + hp.Host.String() + ": the project's settings are not read in this run")
	}
	pattern := hp.Host.String()
	if hp.Host == Localhost {
		pattern = hp.String()
	}
	path = projectFiles(findProject(o.Dir))[0].path
	if err := o.allowAlways(path, pattern); err != nil {
		var known *Error
		if errors.As(err, &known) {
			return "", err
		}
		return "", &Error{File: path, Msg: "cannot allow " + pattern + ": " + cause(err), Err: err}
	}
	exclude(path)
	return path, nil
}

func (o Options) allowAlways(path, pattern string) error {
	dir, err := openSettingsDir(filepath.Dir(filepath.Dir(path)))
	if err != nil {
		return err
	}
	defer dir.Close()
	defer lockDir(dir)()

	old, mode, err := readIn(dir, filepath.Base(path))
	if err != nil {
		return err
	}
	if old != nil {
		trusted, err := o.trusted(path, old)
		if err != nil {
			return err
		}
		if !trusted {
			return &Error{File: path, Msg: "not trusted, so nothing is added to it", Remedy: RemedyReview}
		}
	}
	data, err := addAllowedDomain(old, path, pattern)
	if err != nil {
		return err
	}
	return o.putTrusted(dir, path, old, data, mode)
}

// putTrusted replaces the file's content and the trust in it. Between the two
// the old content is untrusted: what a crash leaves behind allows less.
func (o Options) putTrusted(dir *os.Root, path string, old, data []byte, mode os.FileMode) error {
	s, err := stageFile(dir, filepath.Base(path), data, mode)
	if err != nil {
		return err
	}
	if err := o.recordTrust(map[string]string{path: hashOf(data)}); err != nil {
		s.discard()
		return err
	}
	if err := s.commit(); err != nil {
		if old != nil {
			err = errors.Join(err, o.recordTrust(map[string]string{path: hashOf(old)}))
		}
		return err
	}
	return nil
}

// openSettingsDir opens project/.srun, which it makes if it is missing.
func openSettingsDir(project string) (*os.Root, error) {
	root, err := os.OpenRoot(project)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.Mkdir(".srun", 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	before, err := root.Lstat(".srun")
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, errors.New(".srun is not a directory")
	}
	dir, err := root.OpenRoot(".srun")
	if err != nil {
		return nil, err
	}
	if after, err := dir.Stat("."); err != nil || !os.SameFile(before, after) {
		dir.Close()
		return nil, errors.New(".srun changed while it was opened")
	}
	return dir, nil
}

// readIn reads a regular file of dir; a missing one is nil.
func readIn(dir *os.Root, name string) (data []byte, mode os.FileMode, err error) {
	before, err := dir.Lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0o644, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if !before.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	after, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !os.SameFile(before, after) {
		return nil, 0, fmt.Errorf("%s changed while it was opened", name)
	}
	data, err = readAll(f, after.Size(), maxProject)
	return data, before.Mode().Perm(), err
}
