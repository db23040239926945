package plan

// OpKind is what an operation does to its path.
type OpKind int

// The operations on mounts.
const (
	OpClone    OpKind = iota // into Slot: a detached copy of the mounts at the path
	OpReadonly               // the path, and unless Flag is set every mount below, becomes read-only
	OpWritable               // a mount of init's own becomes writable again
	OpAttach                 // the copy of Slot, at the path
	OpPin                    // bind the path on itself, so that it cannot be renamed
	OpBindRO                 // bind it on itself read-only, with all below
	OpMask                   // mask it by something empty; Slot is 1 where places are made in that
	OpMkdir                  // in a mask, so that something can be attached; with Flag it may be there
	OpMkfile                 // the same
	OpFile                   // mask a file by one with Data
	OpTmp                    // mask a directory by one in memory that may be written
	OpDevice                 // the host's device or directory of devices Data, at a place in the sandbox's own /dev
	OpLayer                  // into Slot: a layer over the path, with Upper and Work

	// OpPinLink keeps a symbolic link where it is. Nothing is mounted for it: the broker
	// refuses to move, remove or replace one.
	OpPinLink
)

// Op is one of the plan's operations on mounts, in the order they apply.
type Op struct {
	Kind OpKind
	Path string
	Slot uint32
	A    uint64 // mode, of OpMask, OpMkdir and OpMkfile
	Flag uint32
	Data string // content, of OpFile; the host's path, of OpDevice

	Upper, Work string // of OpLayer
	ID          FileID // of OpClone

	StandIn bool // an OpFile for a credential

	// IfThere is what must be there for this to be done, a directory with IfDir, else a
	// file: in a layer of its own the command may have removed or replaced, in an
	// earlier run, what the host has, and then nothing of it shows. "" is no condition.
	IfThere string
	IfDir   bool
}

// String says what the operation does to its path.
func (k OpKind) String() string {
	return map[OpKind]string{
		OpClone: "copy", OpReadonly: "make read-only", OpWritable: "keep writable", OpAttach: "attach the copy",
		OpPin: "pin", OpBindRO: "bind read-only", OpMask: "cover", OpMkdir: "make a place", OpMkfile: "make a place", OpFile: "replace",
		OpTmp: "put an own directory over", OpLayer: "make a layer over", OpPinLink: "hold the link",
		OpDevice: "show the device",
	}[k]
}
