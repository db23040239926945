package policy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// The longest settings files, in bytes. Reading one takes some twenty times its
// size in memory, so what comes with a repository is held shorter than what the
// user or the administrator wrote, where a long list of blocked hosts has room.
const (
	maxSettings = 16 << 20
	maxProject  = 1 << 20
)

// readSettings reads a settings file found in its place, which must be a
// regular file: a pipe planted there must not stop srun.
func readSettings(path string) ([]byte, error) { return readRegular(path, maxSettings) }

// readProject is readSettings for a file of a project.
func readProject(path string) ([]byte, error) { return readRegular(path, maxProject) }

func readRegular(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return readAll(f, info.Size(), most)
}

// readNamed reads a file that a flag names, which may be a pipe.
func readNamed(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("a directory, not a settings file")
	}
	return readAll(f, info.Size(), maxSettings)
}

// readAll reads a file of a size that may be 0 for a pipe; one that is longer
// than most is not read to its end.
func readAll(f *os.File, size, most int64) ([]byte, error) {
	long := fmt.Errorf("larger than %d MiB", most>>20)
	if size > most {
		return nil, long
	}
	data := make([]byte, 0, size+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) > most:
			return nil, long
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}
