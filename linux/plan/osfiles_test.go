package plan

import (
	"os"
	"syscall"

	"srun/policy/gitfiles"
)

// osHost is this machine by what every system has.
func osHost() Host { return Host{LandlockABI: 7, Files: osFiles{}} }

type osFiles struct{}

func (osFiles) Find(path string) (Place, error) {
	return Walk(path, func(path string) (target string, dir bool, err error) {
		info, err := os.Lstat(path)
		if err != nil {
			return "", false, err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err = os.Readlink(path)
		}
		return target, info.IsDir(), err
	})
}

func (osFiles) ID(path string) (FileID, error) {
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	return FileID{Ino: st.Ino, Dev: uint32(st.Dev)}, err
}

func (osFiles) OfRoot(string) bool { return false }

func (osFiles) Mounts() ([]byte, error) { return nil, nil }

func (osFiles) Kind(path string) gitfiles.Kind {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return gitfiles.Missing
	case info.IsDir():
		return gitfiles.Dir
	}
	return gitfiles.File
}

func (osFiles) ReadFile(path string) []byte {
	b, _ := os.ReadFile(path)
	return b
}

func (osFiles) ReadDir(path string) (names []string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (osFiles) Same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
