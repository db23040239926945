//go:build linux

package linux

// opKind is what an operation does to its path.
type opKind int

// The operations on mounts.
const (
	opClone    opKind = iota // into Slot: a detached copy of the mounts at the path
	opReadonly               // the path, and unless Flag is set every mount below, becomes read-only
	opWritable               // a mount of init's own becomes writable again
	opAttach                 // the copy of Slot, at the path
	opPin                    // bind the path on itself, so that it cannot be renamed
	opSeal                   // bind it on itself read-only, with all below
	opHide                   // cover it by something empty; Slot is 1 to leave that writable for now
	opMkdir                  // in a cover, so that something can be attached
	opMkfile                 // the same
	opFile                   // cover a file by one with Data

	// opHold keeps a symbolic link where it is. Nothing is mounted for it: the broker
	// refuses to move, remove or replace one.
	opHold
)

// mountOp is one of the plan's operations on mounts, in the order they apply.
type mountOp struct {
	Kind opKind
	Path string
	Slot uint32
	A    uint64 // mode, for opHide, opMkdir and opMkfile
	Flag uint32
	Data string // content, for opFile
	id   FileID // for opClone

	standIn bool // an opFile for a credential
}

// String says what the operation does to its path.
func (k opKind) String() string {
	return map[opKind]string{
		opClone: "copy", opReadonly: "make read-only", opWritable: "keep writable", opAttach: "attach the copy",
		opPin: "pin", opSeal: "bind read-only", opHide: "cover", opMkdir: "make a place", opMkfile: "make a place", opFile: "replace", opHold: "hold the link",
	}[k]
}
