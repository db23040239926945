package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"srun/policy"
)

const someMounts = `20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
21 20 0:20 / /proc rw - proc proc rw
22 20 0:5 / /dev rw shared:2 master:3 - devtmpfs udev rw
23 20 8:2 / /home rw - ext4 /dev/sda2 rw
24 20 8:2 /u /p/alias rw - ext4 /dev/sda2 rw
25 20 8:2 /u/.ssh/deep /keys\040here rw - ext4 /dev/sda2 rw
26 20 0:21 / /p/rootfs/proc rw - proc proc rw
27 20 0:22 / /p/rootfs/sys rw - sysfs sys rw
28 20 0:22 / /sys rw - sysfs sys rw
29 20 0:5 / /other/dev rw - devtmpfs udev rw
garbage
`

func TestParseMounts(t *testing.T) {
	got := parseMounts([]byte(someMounts))
	if len(got) != 10 {
		t.Fatalf("%d mounts", len(got))
	}
	want := mountPoint{"8:2", "/u/.ssh/deep", "/keys here", "ext4"}
	if d := cmp.Diff(want, got[5], cmp.AllowUnexported(mountPoint{})); d != "" {
		t.Error(d)
	}
}

func TestAliases(t *testing.T) {
	m := newMounted(parseMounts([]byte(someMounts)))
	for path, want := range map[string]string{
		"/home/u/.ssh":       "/p/alias/.ssh; /keys here",
		"/home/u/.aws/x":     "/p/alias/.aws/x; ",
		"/home/u":            "/p/alias; /keys here",
		"/p/alias/.ssh/deep": "/home/u/.ssh/deep /keys here; ",
		"/etc/shadow":        "; ",
	} {
		same, below := m.aliases(path)
		if got := strings.Join(same, " ") + "; " + strings.Join(below, " "); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestNewMountedTwice(t *testing.T) {
	host := fakeHost(
		[]string{
			"/", "/home", "/home/u", "/home/u/.ssh", "/p", "/p/alias", "/p/alias/.ssh", "/keys here", "/proc", "/dev",
			"/p/rootfs", "/p/rootfs/proc", "/p/rootfs/sys", "/sys", "/other", "/other/dev",
		}, nil, nil)
	host.Files = fakeFiles{host.Find, someMounts}
	plan, err := New(&policy.Policy{Filesystem: policy.Filesystem{DenyRead: rules("/home/u/.ssh")}}, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	ops := printOps(plan.Mounts)
	for _, want := range []string{
		"cover /home/u/.ssh", "cover /p/alias/.ssh", "cover /keys here", "cover /p/rootfs/proc", "cover /other/dev",
		"pin /p/rootfs", "bind read-only /p/rootfs/sys",
	} {
		if !strings.Contains(ops, want+"\n") {
			t.Errorf("no %q in:\n%s", want, ops)
		}
	}
	for _, none := range []string{" /sys\n", "cover /proc", "cover /dev"} {
		if strings.Contains(ops, none) {
			t.Errorf("%q in:\n%s", none, ops)
		}
	}
	if _, err = New(&policy.Policy{}, "/sys", host); err == nil || !strings.Contains(err.Error(), "sysfs") {
		t.Errorf("/sys was made writable: %v", err)
	}
}
