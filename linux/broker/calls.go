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
)

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
