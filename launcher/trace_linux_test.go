package launcher

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"srun/policy"
)

// Several commands at once, each with denials of its own. Refused writes are told
// with and without a trace, reads with one alone.
func TestTrace(t *testing.T) {
	for _, traced := range []bool{true, false, true, true} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			p := load(t, nil)
			outside := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(outside, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			hidden := filepath.Join(t.TempDir(), "hidden")
			if err := os.WriteFile(hidden, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			p.Filesystem.DenyRead = append(p.Filesystem.DenyRead, policy.PathRule{Path: hidden})
			cmd := Command(p, "sh", "-c", "for i in 1 2 3; do (echo x >file; echo x >"+outside+"); done; cat "+hidden+"; exit 7")
			cmd.Trace = traced
			cmd.Denied = func(d Denial) { got = append(got, d.Line()+"; "+grantWords(d.Allow)) }
			if err := cmd.Run(); err == nil || err.Error() != "exit status 7" {
				t.Errorf("%v; want status 7", err)
			}
			line := "denied write " + outside + " (not in allowWrite); allow write " + outside
			want := []string{line, line, line}
			if traced {
				want = append(want, "denied read "+hidden+" (denyRead); ")
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
