package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"srun/policy"
)

// What others than init take from a plan.
func TestNewFields(t *testing.T) {
	host := fakeHost(
		[]string{"/", "/p", "/p/a", "/h", "/h/.ssh", "/h/.aws", "/run", "/tmp"},
		[]string{"/p/a/key", "/h/.ssh/known_hosts", "/run/s", "/p/s", "/p/t"},
		map[string]string{"/p/way": "/h/.aws", "/run/by-link": "../p/t", "/run/other": "s"},
	)
	p := &policy.Policy{
		Filesystem: policy.Filesystem{DenyRead: rules("/p/a/key", "/p/way", "/h/.ssh"), AllowRead: rules("/h/.ssh/known_hosts")},
		Network: policy.Network{
			Mode: policy.ModeHost, UnixSockets: rules("/run/s", "/p/s", "/run/by-link", "/run/other", "/run/none"),
		},
	}
	plan, err := New(p, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		want, got any
	}{
		{"what the keeper masks", []Masked{{Path: "/h/.aws"}, {Path: "/h/.ssh"}, {Path: "/p/a/key"}}, plan.Masked},
		{"what is hidden but for a part", []string{"/h/.ssh"}, plan.Reopened},
		{"what cannot be moved", map[string]string{"/p/a": "holds a protected path", "/p/way": "leads to a protected path"}, plan.Unmoved},
		{"sockets, and those that the command could replace", []UnixSocket{
			{Path: "/run/s"}, {Path: "/p/s", Now: "/p/s"}, {Path: "/run/by-link", Now: "/p/t"}, {Path: "/run/other"},
		}, plan.UnixSockets},
		{"the host's network", true, plan.HostNetwork},
		{"no file of names in the host's network", false, plan.Rules.Held["/etc/hosts"]},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// Each ABI knows the rights that landlock(7) says, and none that is about reading.
func TestNewRights(t *testing.T) {
	host := fakeHost([]string{"/", "/p"}, nil, nil)
	for abi, want := range map[int]string{
		1: "{write_file,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym}",
		2: "{write_file,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym,refer}",
		3: "{write_file,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym,refer,truncate}",
		6: "{write_file,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym,refer,truncate}",
	} {
		host.LandlockABI = abi
		plan, err := New(&policy.Policy{}, "/p", host)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Landlock[0].Rights.String(); got != want || plan.Scoped != (abi >= 6) {
			t.Errorf("ABI %d: %s, scoped %v; want %s", abi, got, plan.Scoped, want)
		}
	}
}

// The broker holds what no mount can, and knows each rule's source.
func TestNewRules(t *testing.T) {
	host := fakeHost([]string{"/", "/p", "/p/a"}, []string{"/p/a/there"}, nil)
	plan, err := New(&policy.Policy{Filesystem: policy.Filesystem{DenyWrite: rules("/p/a/none", "/p/a/there")}}, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	want := Why{Reason: "denied by filesystem.denyWrite", Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}}
	if d := cmp.Diff(want, plan.Rules.Reserved["/p/a/none"]); d != "" {
		t.Error(d)
	}
	if why, held := plan.Rules.Reserved["/p/a/there"]; !held || why != (Why{}) {
		t.Errorf("what is there, and the host may replace: %v, %v", why, held)
	}
	if why := plan.Rules.Reserved["/p/.srun"]; !why.Protected || why.Reason != "protected path" {
		t.Errorf("a protected path: %+v", why)
	}
	if d := cmp.Diff([]string{"/p", "/dev", "/dev/pts", "/dev/shm", ownTemp}, plan.Rules.Writable); d != "" {
		t.Error(d)
	}
}
