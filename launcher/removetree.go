package launcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// removeTree removes a directory of srun's own, also where the command, or the kernel
// for a layer's work, left directories that their owner may not list. It follows no
// link, and however deep the tree is, it takes one step for each file: what lies
// deeper than two levels is moved up first.
func removeTree(in *os.Root, name string) error {
	if err := in.Chmod(name, 0o700); err != nil {
		return err
	}
	top, err := in.OpenRoot(name)
	if err != nil {
		return err
	}
	defer top.Close()
	r := remover{top: top}
	for !r.empty {
		if err := r.entries(".", r.dir); err != nil {
			return err
		}
	}
	return in.Remove(name)
}

type remover struct {
	top   *os.Root
	moved int
	empty bool // nothing is left
}

// mostRead bounds what is read of a directory at once.
const mostRead = 1000

// entries removes what is in a directory: files at once, directories by remove. It
// tells in empty whether there was nothing.
func (r *remover) entries(dir string, remove func(string) error) error {
	d, err := r.top.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	r.empty = true
	for {
		list, err := d.ReadDir(mostRead)
		for _, e := range list {
			r.empty = false
			name := filepath.Join(dir, e.Name())
			do := r.top.Remove
			if e.IsDir() {
				do = remove
			}
			if err := do(name); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// dir empties a directory of the top, and removes it.
func (r *remover) dir(name string) error {
	if err := r.top.Chmod(name, 0o700); err != nil {
		return err
	}
	for r.empty = false; !r.empty; {
		if err := r.entries(name, r.up); err != nil {
			return err
		}
	}
	r.empty = false // the top was not
	return r.top.Remove(name)
}

// up moves a directory to the top, under a name that is free. Who moves a directory
// to another one must be able to write it (rename(2)).
func (r *remover) up(name string) error {
	if err := r.top.Chmod(name, 0o700); err != nil {
		return err
	}
	for {
		r.moved++
		to := fmt.Sprintf(".%d", r.moved)
		if _, err := r.top.Lstat(to); errors.Is(err, os.ErrNotExist) {
			return r.top.Rename(name, to)
		}
	}
}
