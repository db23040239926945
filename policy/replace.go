package policy

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// replaceFile puts data in the place of name within root: written beside it,
// synced, then renamed over it. On an error, name is as it was and nothing is
// left beside it. A symbolic link at name is replaced, never followed.
func replaceFile(root *os.Root, name string, data []byte, mode os.FileMode) error {
	f, temporary, err := createTemporary(root, name, mode)
	if err != nil {
		return err
	}
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
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		root.Remove(temporary)
	}
	return err
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
