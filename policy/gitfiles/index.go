package gitfiles

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

const (
	indexHeader  = 12 // "DIRC", version, number of entries
	indexStat    = 40 // of an entry, up to the object's name; the mode is at indexMode
	indexMode    = 24
	indexExt     = 8 // an extension's signature and size
	modeTree     = 0o040000
	flagExtended = 0x4000
	flagLength   = 0x0fff
	joined       = 1 << 31 // of an entry's offset: it takes a part of the name before
)

// mostBad bounds the bad entries that are told of, and maxPath a path, in bytes:
// version 4 lets each entry take over the one before, however long.
const (
	mostBad = 1000
	maxPath = 16 << 10
)

// The sizes of an object's name, in bytes.
const (
	sha1Size   = 20
	sha256Size = 32
)

// JudgeIndex returns why a file may not be an index (gitformat-index(5)), "" where
// it may: git writes to the paths that it has, and reads them, without a look at
// where they lead. hash is the size of an object's name, 20 or 32 bytes. before
// returns the index that was there: an entry with a bad path that it had as well, the
// object included, does not lock git out.
func JudgeIndex(data []byte, hash int, before func() []byte) (why string) {
	r := indexReader{data: data, hash: hash}
	if hash != sha1Size && hash != sha256Size || !r.read() {
		return "the index cannot be read"
	}
	if len(r.bad) == 0 {
		return ""
	}
	was := indexReader{data: before(), hash: hash}
	was.read()
	for _, entry := range r.bad {
		if !slices.Contains(was.bad, entry) {
			return fmt.Sprintf("the index has %.100q, which leads elsewhere", entry[hash+4:])
		}
	}
	return ""
}

type indexReader struct {
	data    []byte
	hash    int
	version uint32
	at      int
	name    []byte
	dir     int      // how much of it is a directory of which every part is good
	starts  []uint32 // where entries begin
	unnamed bool     // some have no name, as only a split index may
	split   bool
	bad     []string // mode, object and path of entries with bad paths
}

func (r *indexReader) read() bool {
	end := len(r.data) - r.hash
	if end < indexHeader || string(r.data[:4]) != "DIRC" || len(r.data) >= joined {
		return false
	}
	r.version = binary.BigEndian.Uint32(r.data[4:])
	count := int(binary.BigEndian.Uint32(r.data[8:]))
	if r.version < 2 || r.version > 4 || count > end/(indexStat+r.hash+2) {
		return false
	}
	r.starts = make([]uint32, 0, count)
	r.at = indexHeader
	for range count {
		if !r.entry(end) {
			return false
		}
	}
	return r.extensions(end) && (r.split || !r.unnamed)
}

// entry reads one entry, as create_from_disk in git's read-cache.c does; the
// length of its name must be what the flags say, by which git goes.
func (r *indexReader) entry(end int) bool {
	e := r.data[r.at:end]
	head := indexStat + r.hash + 2
	if len(e) < head+2 {
		return false
	}
	flags := binary.BigEndian.Uint16(e[head-2:])
	if flags&flagExtended != 0 {
		head += 2
	}
	keep, n := 0, 0
	if r.version == 4 {
		strip, size := offset(e[head:])
		if size < 0 || strip > len(r.name) {
			return false
		}
		keep, n = len(r.name)-strip, size
	}
	rest := e[head+n:]
	length := bytes.IndexByte(rest, 0)
	if length < 0 {
		return false
	}
	start := uint32(r.at)
	if r.version == 4 {
		r.dir = min(r.dir, keep)
		r.name = append(r.name[:keep], rest[:length]...)
		n += length + 1
	} else {
		if length < r.dir || !bytes.Equal(rest[:r.dir], r.name[:r.dir]) {
			r.dir = 0
		}
		r.name = rest[:length]
		n = (head+length+8)&^7 - head // one to eight bytes of NUL
	}
	if keep > 0 {
		start |= joined
	}
	if len(r.name) > maxPath {
		return false
	}
	if r.at += head + n; r.at > end || min(len(r.name), flagLength) != int(flags&flagLength) {
		return false
	}
	r.starts = append(r.starts, start)
	r.judge(e)
	return len(r.bad) <= mostBad
}

// judge judges an entry's name, but for the directories that the one before had.
func (r *indexReader) judge(e []byte) {
	mode := binary.BigEndian.Uint32(e[indexMode:])
	r.dir = bytes.LastIndexByte(r.name[:min(r.dir, max(0, len(r.name)-1))], '/') + 1
	switch {
	case len(r.name) == 0:
		r.unnamed = true
	case badPath(r.name[r.dir:], mode):
		r.bad = append(r.bad, string(e[indexMode:indexMode+4])+string(e[indexStat:indexStat+r.hash])+string(r.name))
		r.dir = 0
	default:
		r.dir = bytes.LastIndexByte(r.name, '/') + 1
	}
}

// extensions reads what follows the entries. Threads of git's begin to read where
// two of them say, which must be where entries do.
func (r *indexReader) extensions(end int) bool {
	entriesEnd := r.at
	for r.at < end {
		if end-r.at < indexExt {
			return false
		}
		size := int(binary.BigEndian.Uint32(r.data[r.at+4:]))
		if size > end-r.at-indexExt {
			return false
		}
		body := r.data[r.at+indexExt:][:size]
		switch string(r.data[r.at : r.at+4]) {
		case "link":
			r.split = true
		case "IEOT":
			if !r.blocks(body) {
				return false
			}
		}
		r.at += indexExt + size
	}
	last := end - indexExt - 4 - r.hash // where git looks for it, whatever is there
	return last < indexHeader || string(r.data[last:last+4]) != "EOIE" ||
		int(binary.BigEndian.Uint32(r.data[last+indexExt:])) == entriesEnd
}

// blocks reads a table of where blocks of entries begin. A block of version 4
// begins with a whole name.
func (r *indexReader) blocks(table []byte) bool {
	if len(table) < 4 || len(table)%8 != 4 {
		return false
	}
	next := 0
	for table = table[4:]; len(table) > 0; table = table[8:] {
		at, n := binary.BigEndian.Uint32(table), int(binary.BigEndian.Uint32(table[4:]))
		if next >= len(r.starts) || r.starts[next] != at || n > len(r.starts)-next {
			return false
		}
		next += n
	}
	return next == len(r.starts)
}

// offset reads a number as a pack's OFS_DELTA has it (gitformat-pack(5)).
func offset(b []byte) (value, n int) {
	for n < len(b) && n < 5 {
		c := b[n]
		if n > 0 {
			value++
		}
		value = value<<7 | int(c&0x7f)
		n++
		if c&0x80 == 0 {
			return value, n
		}
	}
	return 0, -1
}

// badPath tells a path that git itself would not take into an index (verify_path
// in git's read-cache.c). That of a directory, in a sparse index, ends in a slash.
func badPath(path []byte, mode uint32) bool {
	if mode == modeTree {
		path = bytes.TrimSuffix(path, []byte("/"))
	}
	for {
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			return badPart(path)
		}
		if badPart(path[:end]) {
			return true
		}
		path = path[end+1:]
	}
}

func badPart(part []byte) bool {
	if len(part) == 0 {
		return true
	}
	switch part[0] {
	case '.':
		if len(part) == 1 || len(part) == 2 && part[1] == '.' {
			return true
		}
		if part[1]|0x20 != 'g' && part[1] < 0x80 {
			return false
		}
	case ignorable[0][0], ignorable[len(ignorable)-1][0]:
	case 'g', 'G':
		if len(part) < len("git~1") || part[3] != '~' {
			return false
		}
	default:
		return false
	}
	lower := strings.ToLower(string(part))
	for _, name := range []string{".git", "git~1"} { // is_ntfs_dotgit in git's path.c
		rest, ok := strings.CutPrefix(lower, name)
		if rest = strings.TrimLeft(rest, ". "); ok && (rest == "" || rest[0] == ':' || rest[0] == '\\') {
			return true
		}
	}
	return withoutIgnorable.Replace(lower) == ".git"
}

// ignorable are what HFS+ takes no notice of in a name (next_hfs_char in git's
// utf8.c).
var ignorable = []string{
	"\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e",
	"\u206a", "\u206b", "\u206c", "\u206d", "\u206e", "\u206f", "\ufeff",
}

var withoutIgnorable = func() *strings.Replacer {
	var pairs []string
	for _, s := range ignorable {
		pairs = append(pairs, s, "")
	}
	return strings.NewReplacer(pairs...)
}()
