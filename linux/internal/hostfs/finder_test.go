//go:build linux

package hostfs

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"srun/linux/plan"
)

// Find asks less and answers the same.
func TestFindIsWalk(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		os.MkdirAll(dir+"/d/sub", 0o755), os.WriteFile(dir+"/d/file", nil, 0o644),
		os.Symlink("d", dir+"/link"), os.Symlink("../d/file", dir+"/d/sub/link"),
		os.Symlink("circle", dir+"/circle"), os.Symlink("nowhere", dir+"/dangling"),
	); err != nil {
		t.Fatal(err)
	}
	host := New()
	for _, path := range []string{
		"/", dir, dir + "/d", dir + "/d/file", dir + "/d/none", dir + "/d/none/below/it", dir + "/d/file/below", dir + "/link",
		dir + "/link/file", dir + "/link/none/below", dir + "/link/sub/link", dir + "/d/sub/link", dir + "/circle",
		dir + "/circle/below", dir + "/dangling", dir + "/dangling/below", dir + "/link/sub/../file", dir + "/d/file",
	} {
		want, err1 := plan.Walk(path, Lstat)
		got, err2 := host.Find(path)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", path, err1, err2)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", path, d)
		}
	}
}
