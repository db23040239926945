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
	for range 1000 {
		one.tell("/a")
	}
	if got, _ := two.news(); got != nil {
		t.Errorf("told again: %q", got)
	}
	one.size = mostTold
	one.tell("/d")
	if _, more := two.news(); !more {
		t.Error("nobody hears that more was lost than is told")
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
	three := openRuns(path)
	if three == nil || three.path != path+".1" {
		t.Errorf("where somebody else has the name: %+v", three)
	}
	three.close()
}
