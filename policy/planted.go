package policy

import (
	"os"
	"path/filepath"
)

// Planted returns what must go of a project's .srun that appeared while a
// command ran in a project without one: all of it, unless another srun has
// just written an answer of the user's there. During the run, final false, an
// empty directory and trusted files stay, for that is how such an answer comes
// about; at its end only a .srun with a trusted file does.
func Planted(opts Options, project string, final bool) []string {
	dir := filepath.Join(project, ".srun")
	st, err := os.Lstat(dir)
	if err != nil {
		return nil
	}
	o, err := opts.normal()
	if err != nil || !st.IsDir() {
		return []string{dir}
	}
	var untrusted []string
	trusted := 0
	for _, f := range projectFiles(project) {
		if _, err := os.Lstat(f.path); err != nil {
			continue
		}
		if o.trustsFile(f.path) {
			trusted++
		} else {
			untrusted = append(untrusted, f.path)
		}
	}
	if final && trusted == 0 {
		return []string{dir}
	}
	return untrusted
}

// trustsFile reports whether the file as it is now is a trusted one.
func (o Options) trustsFile(path string) bool {
	data, err := readSettings(path)
	if err != nil {
		return false
	}
	trusted, err := o.trusted(path, data)
	return err == nil && trusted
}
