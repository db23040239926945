package launcher

import (
	"os"
	"path/filepath"
)

// removeTree removes a directory of srun's own, also where the command, or the
// kernel for a layer's work, left directories that their owner may not list. It
// follows no link.
func removeTree(dir string) error {
	root, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer root.Close()
	name := filepath.Base(dir)
	if err := root.RemoveAll(name); err == nil {
		return nil
	}
	openUp(root, name, mostDeep)
	return root.RemoveAll(name)
}

// mostDeep bounds how far down rights are given: each step takes as many calls as it
// is deep. What lies deeper stays.
const mostDeep = 200

// openUp gives the owner all rights to a directory and those in it.
func openUp(root *os.Root, name string, deep int) {
	if deep == 0 {
		return
	}
	if st, err := root.Lstat(name); err != nil || !st.IsDir() || root.Chmod(name, 0o700) != nil {
		return
	}
	d, err := root.Open(name)
	if err != nil {
		return
	}
	entries, _ := d.ReadDir(-1)
	d.Close()
	for _, e := range entries {
		if e.IsDir() {
			openUp(root, filepath.Join(name, e.Name()), deep-1)
		}
	}
}
