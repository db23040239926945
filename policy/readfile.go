package policy

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// maxSettings bounds a settings file, in bytes. A million domain rules fit.
const maxSettings = 128 << 20

// readSettings reads a settings file found in its place, which must be a
// regular file: a pipe planted there must not stop srun.
func readSettings(path string) ([]byte, error) {
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
	return readAll(f, info.Size())
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
	return readAll(f, info.Size())
}

func readAll(f *os.File, size int64) ([]byte, error) {
	if size > maxSettings {
		return nil, errors.New("larger than 128 MiB")
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
		case len(data) > maxSettings:
			return nil, errors.New("larger than 128 MiB")
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}
