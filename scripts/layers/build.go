package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A variant is the source without some layers.
type variant struct {
	root    string // of the module
	dir     string // what the compiler reads in place of files of it
	replace map[string]string
}

// newVariant writes down, in dir, the source without the layers of a list; "" is
// the source as it is.
func newVariant(root, dir, list string) (*variant, error) {
	v := &variant{root, dir, map[string]string{}}
	if list == "" {
		return v, v.save()
	}
	edits, filter, err := without(list)
	if err != nil {
		return nil, err
	}
	files, err := edited(root, edits)
	if err != nil {
		return nil, err
	}
	for name, text := range files {
		if err := v.put(name, []byte(text)); err != nil {
			return nil, err
		}
	}
	if filter {
		if err := v.makeFilter(); err != nil {
			return nil, err
		}
	}
	return v, v.save()
}

func (v *variant) put(name string, text []byte) error {
	path := filepath.Join(v.dir, fmt.Sprintf("%d%s", len(v.replace), filepath.Ext(name)))
	v.replace[filepath.Join(v.root, name)] = path
	return os.WriteFile(path, text, 0o644)
}

func (v *variant) overlay() string { return filepath.Join(v.dir, "overlay.json") }

func (v *variant) save() error {
	text, err := json.Marshal(map[string]any{"Replace": v.replace})
	if err != nil {
		return err
	}
	return os.WriteFile(v.overlay(), text, 0o644)
}

// makeFilter has the programs made from the table as it is edited.
func (v *variant) makeFilter() error {
	if err := v.save(); err != nil {
		return err
	}
	generate := filepath.Join(v.dir, "generate")
	if err := v.run("go", "build", "-overlay", v.overlay(), "-o", generate, "./linux/filter/generate"); err != nil {
		return err
	}
	cmd := exec.Command(generate)
	cmd.Dir = v.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("generate: %w\n%s", err, out)
	}
	for _, name := range []string{"amd64.go", "arm64.go"} {
		text, err := os.ReadFile(filepath.Join(v.dir, name))
		if err != nil {
			return err
		}
		if err := v.put("linux/filter/"+name, text); err != nil {
			return err
		}
	}
	return nil
}

// build makes srun as it is shipped, but for what is left out.
func (v *variant) build(out string) error {
	return v.run("make", "-s", "build", "OUT="+out, "GO=go", "GOFLAGS=-overlay="+v.overlay(), "VERSION=layers")
}

func (v *variant) run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = v.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
