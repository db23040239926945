package policy

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// staged is a file written beside the one it will replace.
type staged struct {
	root            *os.Root
	temporary, name string
}

// stageFile writes and syncs data beside name within root: what can fail for
// want of space fails here. On an error nothing is left.
func stageFile(root *os.Root, name string, data []byte, mode os.FileMode) (*staged, error) {
	f, temporary, err := createTemporary(root, name, mode)
	if err != nil {
		return nil, err
	}
	s := &staged{root, temporary, name}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // the umask is for new files; this one may stand in for an old one
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// commit renames the staged file over the old one, whole or not at all. A
// symbolic link at the name is replaced, never followed.
func (s *staged) commit() error {
	err := s.root.Rename(s.temporary, s.name)
	if err != nil {
		s.discard()
	}
	return err
}

func (s *staged) discard() { s.root.Remove(s.temporary) }

// replaceFile stages and commits.
func replaceFile(root *os.Root, name string, data []byte, mode os.FileMode) error {
	s, err := stageFile(root, name, data, mode)
	if err != nil {
		return err
	}
	return s.commit()
}

func createTemporary(root *os.Root, name string, mode os.FileMode) (*os.File, string, error) {
	for try := range 100 {
		temporary := fmt.Sprintf(".%s.%d-%d.tmp", name, os.Getpid(), time.Now().UnixNano()+int64(try))
		f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, os.ErrExist) {
			return f, temporary, err
		}
	}
	return nil, "", errors.New("no name is free for a temporary file")
}
