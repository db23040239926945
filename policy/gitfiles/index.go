package gitfiles

import (
	"bytes"
	"encoding/binary"
)

const (
	indexHeader  = 12 // "DIRC", version, number of entries
	indexStat    = 40 // of an entry, up to the hash; the mode is at indexMode
	indexMode    = 24
	modeGitlink  = 0o160000
	modeType     = 0o170000
	flagExtended = 0x4000
)

// Gitlinks returns the paths in an index that are other repositories' commits,
// as git-update-index(1) or a submodule puts them there. hash is the size of an
// object's name, 20 or 32 bytes. It reads versions 2 to 4 (gitformat-index(5)),
// and of what is cut short or something else as far as it goes.
func Gitlinks(data []byte, hash int) (paths []string) {
	if len(data) < indexHeader || string(data[:4]) != "DIRC" {
		return nil
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return nil
	}
	rest := data[indexHeader:]
	var name []byte
	for ; count > 0; count-- {
		head := indexStat + hash + 2
		if len(rest) < head {
			break
		}
		mode := binary.BigEndian.Uint32(rest[indexMode:])
		if binary.BigEndian.Uint16(rest[head-2:])&flagExtended != 0 {
			head += 2
		}
		n := 0
		if name, n = indexName(rest, head, version, name); n < 0 {
			break
		}
		if mode&modeType == modeGitlink {
			paths = append(paths, string(name))
		}
		rest = rest[n:]
	}
	return paths
}

// indexName returns an entry's name, which version 4 gives by the end of the one
// before, and the entry's size, or -1.
func indexName(entry []byte, head int, version uint32, before []byte) (name []byte, size int) {
	if head > len(entry) {
		return nil, -1
	}
	if version < 4 {
		end := bytes.IndexByte(entry[head:], 0)
		if end < 0 {
			return nil, -1
		}
		size = (head + end + 8) &^ 7 // one to eight bytes of NUL
		if size > len(entry) {
			return nil, -1
		}
		return entry[head : head+end], size
	}
	strip, n := offset(entry[head:])
	if n < 0 || strip > len(before) {
		return nil, -1
	}
	start := head + n
	end := bytes.IndexByte(entry[start:], 0)
	if end < 0 {
		return nil, -1
	}
	name = append(bytes.Clone(before[:len(before)-strip]), entry[start:start+end]...)
	return name, start + end + 1
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
