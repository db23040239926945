//go:build linux

package broker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Runs hear what others tell while they are there, and the last removes the file.
func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs")
	one := openRuns(path)
	one.tell("/before")
	two := openRuns(path)
	one.tell("/a")
	two.tell("/b")
	one.tell("/c")
	if got, more := two.news(); more || !slices.Equal(got, []string{"/a", "/c"}) {
		t.Errorf("the second hears %q, %v", got, more)
	}
	if got, more := one.news(); more || !slices.Equal(got, []string{"/b"}) {
		t.Errorf("the first hears %q, %v", got, more)
	}
	one.close()
	if _, err := os.Stat(path); err != nil {
		t.Error("the file is gone while a run is under way:", err)
	}
	two.close()
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is left")
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if openRuns(path) != nil {
		t.Error("a file that others may read is taken for ours")
	}
}
