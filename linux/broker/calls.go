//go:build linux

package broker

// kind is a call that stops, whichever ABI made it.
type kind uint8

const (
	unknownCall kind = iota
	callOpen
	callOpenat
	callCreat
	callMkdir
	callMkdirat
	callMknod
	callMknodat
	callLink
	callLinkat
	callSymlink
	callSymlinkat
	callRename
	callRenameat
	callRenameat2
	callUnlink
	callUnlinkat
	callRmdir
	callTruncate
	callTruncate64 // a 32-bit ABI's: the length lies in two registers
	callBind
	callConnect
	callGetsockname
	callUmask
	callClone // that shares what umask(2) sets with another process
)

// opens tells whether the call opens a file.
func (c *call) opens() bool {
	return c.what == callOpen || c.what == callOpenat || c.what == callCreat
}

// renames tells whether the call moves a name.
func (c *call) renames() bool {
	return c.what == callRename || c.what == callRenameat || c.what == callRenameat2
}

// callNames are the calls' names in the manual.
var callNames = map[kind]string{
	callOpen: "open", callOpenat: "openat", callCreat: "creat", callMkdir: "mkdir", callMkdirat: "mkdirat",
	callMknod: "mknod", callMknodat: "mknodat", callLink: "link", callLinkat: "linkat",
	callSymlink: "symlink", callSymlinkat: "symlinkat", callRename: "rename", callRenameat: "renameat",
	callRenameat2: "renameat2", callUnlink: "unlink", callUnlinkat: "unlinkat", callRmdir: "rmdir",
	callTruncate: "truncate", callTruncate64: "truncate64", callBind: "bind", callConnect: "connect",
	callGetsockname: "getsockname", callUmask: "umask", callClone: "clone",
}

// arguments are how many each call has, of those that are answered.
var arguments = map[kind]int{
	callOpen: 3, callOpenat: 4, callCreat: 2, callMkdir: 2, callMkdirat: 3, callMknod: 3, callMknodat: 4,
	callLink: 2, callLinkat: 5, callSymlink: 2, callSymlinkat: 3, callRename: 2, callRenameat: 4, callRenameat2: 5,
	callUnlink: 1, callUnlinkat: 3, callRmdir: 1, callTruncate: 2, callTruncate64: 4, callBind: 3, callConnect: 3,
	callGetsockname: 3,
}

// abi is an ABI's numbers of the calls that stop.
type abi struct {
	bits  int
	calls map[int32]kind
	pair  int // of callTruncate64: the first register of the length
}

// kindOf returns which call stopped.
func kindOf(n *notification) (kind, *abi) {
	a := abis[n.arch]
	if a == nil {
		return unknownCall, nil
	}
	return a.calls[n.nr], a
}
