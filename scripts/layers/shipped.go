package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// checkShipped makes sure that what is shipped is made of the source as it is: a
// build with nothing left out is the same, byte for byte, and one with a layer left
// out is not. The stamp of the version control is left out: go makes none with an
// overlay.
func checkShipped() error {
	root, dir, err := places()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	shipped, err := buildWith(root, filepath.Join(dir, "shipped"), "GOFLAGS=-buildvcs=false")
	if err != nil {
		return err
	}
	for list, same := range map[string]bool{"": true, "dumpable": false} {
		edits, err := os.MkdirTemp(dir, "")
		if err != nil {
			return err
		}
		v, err := newVariant(root, edits, list)
		if err != nil {
			return err
		}
		variant, err := buildWith(root, filepath.Join(dir, "variant"), "GOFLAGS=-buildvcs=false -overlay="+v.overlay())
		if err != nil {
			return err
		}
		if bytes.Equal(variant, shipped) != same {
			return fmt.Errorf("without %q: the same as what is shipped: %v; want %v", list, !same, same)
		}
	}
	return nil
}

// buildWith makes srun with arguments for make, and returns it.
func buildWith(root, path string, args ...string) ([]byte, error) {
	cmd := exec.Command("make", append([]string{"-s", "build", "OUT=" + path, "VERSION=layers"}, args...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(path)
}
