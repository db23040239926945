package gitfiles

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// git itself writes what is read: each version, each hash, with long names and
// with extended flags.
func TestGitlinks(t *testing.T) {
	long := strings.Repeat("d/", 200) + strings.Repeat("n", 250)
	for _, format := range []string{"sha1", "sha256"} {
		for version := 2; version <= 4; version++ {
			t.Run(fmt.Sprintf("%s, version %d", format, version), func(t *testing.T) {
				dir := t.TempDir()
				hash := map[string]int{"sha1": 20, "sha256": 32}[format]
				id := strings.Repeat("1234567890abcdef", 4)[:2*hash]
				git := func(stdin string, args ...string) {
					t.Helper()
					cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
					cmd.Stdin = strings.NewReader(stdin)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("git %v: %v: %s", args, err, out)
					}
				}
				git("", "init", "-q", "--object-format="+format)
				git("", "config", "core.protectNTFS", "false")
				var lines strings.Builder
				for _, f := range []string{"a", "a.b", "sub/file", "sub2/x/y", "zz"} {
					fmt.Fprintf(&lines, "100644 %s\t%s\n", id, f)
				}
				want := []string{"link", long, "sub2/x/z"}
				for _, l := range want {
					fmt.Fprintf(&lines, "160000 %s\t%s\n", id, l)
				}
				git(lines.String(), "update-index", "--add", "--index-info")
				git("", "update-index", "--index-version", fmt.Sprint(version))
				if version > 2 {
					git("", "update-index", "--skip-worktree", "a", "link", "sub2/x/y")
				}
				data, err := os.ReadFile(filepath.Join(dir, ".git/index"))
				if err != nil {
					t.Fatal(err)
				}
				got := Gitlinks(data, hash)
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("got %d: %q", len(got), got)
				}
			})
		}
	}
}

func FuzzGitlinks(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"), 20)
	f.Add([]byte("DIRC\x00\x00\x00\x04\xff\xff\xff\xff"+strings.Repeat("\xe0", 200)), 32)
	f.Fuzz(func(t *testing.T, data []byte, hash int) {
		if hash != 20 && hash != 32 {
			return
		}
		for _, path := range Gitlinks(data, hash) {
			if strings.Contains(path, "\x00") {
				t.Errorf("%q", path)
			}
		}
	})
}
