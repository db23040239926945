//go:build linux

package procfs

import (
	"os"
	"testing"
)

func TestField(t *testing.T) {
	status := []byte("Name:\tx y\nTgid:\t12\nNSpid:\t4711\t3\t1\nGroups:\t \n")
	for name, want := range map[string]string{"Tgid": "12", "NSpid": "1", "Name": "y", "gid": "", "Groups": "", "None": ""} {
		if got := Field(status, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSelf(t *testing.T) {
	if Leader(os.Getpid()) != os.Getpid() || Parent(os.Getpid()) != os.Getppid() {
		t.Errorf("leader %d, parent %d; want %d, %d", Leader(os.Getpid()), Parent(os.Getpid()), os.Getpid(), os.Getppid())
	}
	if gone := 1 << 30; Leader(gone) != gone || Parent(gone) != 0 || Command(gone) != "" {
		t.Error("a process that is not there has a leader, a parent or a name")
	}
	if got := Printable("a\x1b[2Jé\n"); got != "a?[2J??" {
		t.Errorf("printable: %q", got)
	}
}
