package policy

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A file that is too long is an error, and not read; one that just fits is read.
func TestLongSettings(t *testing.T) {
	for _, tt := range []struct {
		file string
		most int
	}{{".srun/settings.json", maxProject}, {".srun/settings.local.json", maxProject}, {"srun/settings.json", maxSettings}, {"s.json", maxSettings}} {
		for over := range 2 {
			dir := t.TempDir()
			path := filepath.Join(dir, tt.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			text := `{"network": {"deniedDomains": ["a.example"]}}`
			if err := os.WriteFile(path, []byte(text+strings.Repeat(" ", tt.most-len(text)+over)), 0o600); err != nil {
				t.Fatal(err)
			}
			opts := Options{Dir: dir, ConfigHome: dir}
			if tt.file == "s.json" {
				opts.SettingsFiles = []string{path}
			}
			_, _, err := Load(opts)
			if got := err != nil; got != (over == 1) || got && (!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "larger than ")) {
				t.Errorf("%s, %d over: %v", tt.file, over, err)
			}
		}
	}
}

// A sparse file of a gigabyte costs no memory.
func TestSparseSettings(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".srun"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, ".srun/settings.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err = Load(Options{Dir: dir})
	runtime.ReadMemStats(&after)
	if err == nil || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%v; %d bytes allocated", err, after.TotalAlloc-before.TotalAlloc)
	}
}
