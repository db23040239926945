package gitfiles

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// indexOf writes an index as git does: of version 4 with names by the ends of those
// before. extensions come after the entries.
func indexOf(version int, hash int, names []string, extensions ...string) []byte {
	data := binary.BigEndian.AppendUint32([]byte("DIRC"), uint32(version))
	data = binary.BigEndian.AppendUint32(data, uint32(len(names)))
	before := ""
	for _, name := range names {
		start, mode := len(data), uint32(0o100644)
		if strings.HasSuffix(name, "/") {
			mode = modeTree
		}
		data = append(data, make([]byte, indexMode)...)
		data = binary.BigEndian.AppendUint32(data, mode)
		data = append(data, make([]byte, indexStat-indexMode-4+hash)...)
		data = binary.BigEndian.AppendUint16(data, uint16(min(len(name), flagLength)))
		if version == 4 {
			keep := 0
			for keep < min(len(before), len(name)) && before[keep] == name[keep] {
				keep++
			}
			strip := len(before) - keep
			if strip >= 0x80 {
				data = append(data, byte(0x80|(strip>>7-1)))
			}
			data = append(append(append(data, byte(strip&0x7f)), name[keep:]...), 0)
			before = name
			continue
		}
		data = append(data, name...)
		data = append(data, make([]byte, 8-(len(data)-start)%8)...)
	}
	data = append(data, strings.Join(extensions, "")...)
	if hash == sha1.Size {
		sum := sha1.Sum(data)
		return append(data, sum[:]...)
	}
	return append(data, make([]byte, hash)...)
}

func extension(name string, words ...uint32) string {
	data := binary.BigEndian.AppendUint32([]byte(name), uint32(4*len(words)))
	for _, w := range words {
		data = binary.BigEndian.AppendUint32(data, w)
	}
	return string(data)
}

func TestJudgeIndex(t *testing.T) {
	none := func() []byte { return nil }
	for _, version := range []int{2, 3, 4} {
		for _, hash := range []int{20, 32} {
			for _, name := range []string{
				"a", "a/b", ".gitignore", ".gitmodules", "a/.github/x", "git", "git~2", "GIT~10/x", "...", "a..", "..a", ".git x", "sparse/",
				"\u200cx", ".gi\u200ct2", strings.Repeat("d/", 3000) + "x",
			} {
				if why := JudgeIndex(indexOf(version, hash, []string{"0", name, "z"}), hash, none); why != "" {
					t.Errorf("version %d, %d: %q: %s", version, hash, name, why)
				}
			}
			for _, name := range []string{
				"/a", "../a", "a/../b", "a/..", "./a", "a//b", "a/.", ".git", ".git/hooks/x", "a/.GIT/x", ".git./x", ".git . /x", "git~1/x",
				"GIT~1", ".git::$INDEX_ALLOCATION/x", ".git\\x", ".g\u200cit/x", "\ufeff.git", "a/\u206f.Git\u200d/x", "//", "a//",
			} {
				data := indexOf(version, hash, []string{"0", name, "z"})
				if why := JudgeIndex(data, hash, none); !strings.Contains(why, "leads elsewhere") {
					t.Errorf("version %d, %d: %q: %s", version, hash, name, why)
				}
				if why := JudgeIndex(data, hash, func() []byte { return data }); why != "" {
					t.Errorf("version %d, %d: %q, which was there: %s", version, hash, name, why)
				}
			}
		}
	}
}

// What git could read in another way is none.
func TestJudgeIndexStrange(t *testing.T) {
	names := []string{"a", "b/c"}
	good := indexOf(2, 20, names)
	entries := len(good) - 20
	half := func(version int) []uint32 { // where the second entry begins
		one := indexOf(version, 20, names[:1])
		return []uint32{1, indexHeader, 1, uint32(len(one) - 20), 1}
	}
	eoie := func(at int) string { return extension("EOIE", uint32(at), 0, 0, 0, 0, 0) }
	change := func(at int, b byte) []byte {
		data := bytes.Clone(good)
		data[at] = b
		return data
	}
	for _, c := range []struct {
		name string
		data []byte
		ok   bool
	}{
		{"good", good, true},
		{"empty", nil, false},
		{"cut short", good[:len(good)-1-20], false},
		{"another version", change(7, 5), false},
		{"more entries", change(11, 3), false},
		{"fewer entries", change(11, 1), false},
		{"another length", change(indexHeader+61, 2), false},
		{"no name", indexOf(2, 20, []string{""}), false},
		{"no name in a split index", indexOf(2, 20, []string{""}, extension("link", 0, 0, 0, 0, 0)), true},
		{"an extension", indexOf(2, 20, names, extension("TREE", 1, 2)), true},
		{"half an extension", indexOf(2, 20, names, "TREE\x00\x00\x00\x09abcdefgh"), false},
		{"blocks", indexOf(2, 20, names, extension("IEOT", half(2)...), eoie(entries)), true},
		{"blocks elsewhere", indexOf(2, 20, names, extension("IEOT", 1, indexHeader, 1, uint32(entries), 1)), false},
		{"too few blocks", indexOf(2, 20, names, extension("IEOT", 1, indexHeader, 1)), false},
		{"the end elsewhere", indexOf(2, 20, names, eoie(entries-8)), false},
		{"the end elsewhere, hidden", indexOf(2, 20, names, "XXXX\x00\x00\x00\x20"+eoie(0)), false},
		{"blocks of whole names", indexOf(4, 20, names, extension("IEOT", half(4)...)), true},
		{"a block that takes a name's beginning", indexOf(4, 20, []string{"a", "a../x"}, extension("IEOT", half(4)...)), false},
	} {
		if why := JudgeIndex(c.data, 20, func() []byte { return nil }); (why == "") != c.ok {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}

// Of an index that may be, git reads no other paths.
func FuzzJudgeIndex(f *testing.F) {
	for version := 2; version <= 4; version++ {
		f.Add(indexOf(version, 20, []string{"a", "a/b", "a/c"}))
		f.Add(indexOf(version, 20, []string{"a/../b", ".git/x"}, extension("TREE", 0)))
		f.Add(indexOf(version, 20, []string{"a", "b"}, extension("IEOT", 1, 12, 2), extension("EOIE", 156, 0, 0, 0, 0, 0)))
	}
	dir := f.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		f.Skip(err, string(out))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		JudgeIndex(data, 32, func() []byte { return data })
		if JudgeIndex(data, 20, func() []byte { return nil }) != "" {
			return
		}
		if err := os.WriteFile(filepath.Join(dir, ".git", "index"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		git := exec.Command("git", "-c", "index.threads=4", "ls-files", "-z", "--stage")
		git.Dir = dir
		out, err := git.Output()
		if err != nil {
			return // git takes it for none
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if _, name, ok := strings.Cut(line, "\t"); ok && name != "" && badPath([]byte(name), 0) && !strings.HasPrefix(line, "040000") {
				t.Errorf("git reads %q", name)
			}
		}
	})
}

func BenchmarkJudgeIndex(b *testing.B) {
	var names []string
	for i := range 50_000 {
		names = append(names, fmt.Sprintf("src/github.com/package-%03d/internal/.hidden/file-%05d.go", i/100, i))
	}
	for _, version := range []int{2, 4} {
		data := indexOf(version, 20, names)
		b.Run(fmt.Sprintf("version %d", version), func(b *testing.B) {
			for b.Loop() {
				if why := JudgeIndex(data, 20, func() []byte { return nil }); why != "" {
					b.Fatal(why)
				}
			}
		})
	}
}
