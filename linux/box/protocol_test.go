//go:build linux

package box

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

// operations decodes what appendOp made, a word each.
func operations(t *testing.T, b []byte) (list []string) {
	t.Helper()
	ne := binary.NativeEndian
	for len(b) > 0 {
		if len(b) < 24 || len(b)%8 != 0 {
			t.Fatalf("%d bytes are left", len(b))
		}
		size := int(ne.Uint32(b[20:]))
		if b[24+size] != 0 {
			t.Fatalf("no NUL after %q", b[24:24+size])
		}
		list = append(list, strings.Join([]string{
			codeNames[opCode(ne.Uint32(b))], string('0' + rune(ne.Uint32(b[4:]))), string(b[24 : 24+size]),
		}, " "))
		b = b[24+(size+8)&^7:]
	}
	return list
}

var codeNames = map[opCode]string{codeWatch: "watch", codeKeep: "keep", codeEnd: "end"}

// Each path comes after its directory, by whose number it is known.
func TestKeeperList(t *testing.T) {
	got := strings.Join(operations(t, keeperList([]plan.Masked{{Path: "/a/x"}, {Path: "/b/y"}, {Path: "/a/long-name"}})), "\n")
	want := "watch 0 /a\nkeep 0 /a/x\nwatch 0 /b\nkeep 1 /b/y\nkeep 0 /a/long-name\nend 0 "
	if got != want {
		t.Errorf("the list:\n%s\nwant\n%s", got, want)
	}
}

// Every operation of a plan but for links has a code; nothing is mounted for those.
func TestOpCodes(t *testing.T) {
	seen := map[opCode]plan.OpKind{}
	for kind := plan.OpClone; kind < plan.OpPinLink; kind++ {
		code := opCodes[kind]
		if other, known := seen[code]; code == 0 || known {
			t.Errorf("%v has code %d, as %v", kind, code, other)
		}
		seen[code] = kind
	}
	if _, has := opCodes[plan.OpPinLink]; has {
		t.Error("init is told of links")
	}
}

func TestMessages(t *testing.T) {
	for _, m := range []message{{kind: msgExited, a: -1, b: 1 << 30}, {kind: ctlGo}} {
		b := m.encode()
		if len(b) != messageSize || decodeMessage(b) != m {
			t.Errorf("%+v became %+v in %d bytes", m, decodeMessage(b), len(b))
		}
	}
	err := failure(message{kind: msgFailed, a: int32(unix.ENOSYS), b: 2, text: "mount /x"})
	if err.Protection != "write-deny" || !errors.Is(err, unix.ENOSYS) || !strings.Contains(err.Error(), OldestKernel) {
		t.Errorf("a kernel that is too old: %v", err)
	}
}

func TestListeningPort(t *testing.T) {
	for line, want := range map[string]uint16{
		"  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000": 8080,
		"  1: 00000000:0050 00000000:0000 0A 0":                 80,
		"  2: 00000000000000000000000001000000:0051 0 0A":       81,
		"  3: 0100007F:1F90 0100007F:0001 01 0":                 0, // a connection
		"  4: 0A00A8C0:1F90 00000000:0000 0A 0":                 0, // another address
		"  sl  local_address rem_address   st":                  0,
		"":                                                      0,
	} {
		if got := listeningPort(line); got != want {
			t.Errorf("%q: port %d, want %d", line, got, want)
		}
	}
}

func TestProcAddr(t *testing.T) {
	for _, c := range []struct {
		addr string
		six  bool
		want string
	}{
		{"127.0.0.1:80", false, "0100007F:0050"},
		{"127.0.0.1:80", true, "0000000000000000FFFF00000100007F:0050"},
		{"[::1]:65535", true, "00000000000000000000000001000000:FFFF"},
	} {
		if got := procAddr(netip.MustParseAddrPort(c.addr), c.six); got != c.want {
			t.Errorf("%s is %s, want %s", c.addr, got, c.want)
		}
	}
}

func TestSearchPath(t *testing.T) {
	for want, env := range map[string][]string{
		"/b":            {"PATH=/a", "X=1", "PATH=/b"},
		"":              {"PATH="},
		"/bin:/usr/bin": {"XPATH=/a"},
	} {
		if got := searchPath(env); got != want {
			t.Errorf("of %q: %q, want %q", env, got, want)
		}
	}
}
