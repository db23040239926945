//go:build linux

package box

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

// The two halves of srun and what they say to each other, over a socket pair
// of type SOCK_SEQPACKET:
//
//	srun (Go)                                init (C, PID 1 inside)
//	   |                                        | namespaces, /proc, /dev, network
//	   | <------------- ready + listeners ----- |
//	   | plan (memfd), stdin, stdout, stderr,   |
//	   | Landlock ruleset --------------------> | mounts, Landlock, seccomp
//	   | <------- reopened stdin + descriptor - | (one each)
//	   | <------- forwarded port + listener --- | (one each)
//	   | <------- broker + notify descriptor -- | (the command's process)
//	   | (with a trace: attach to it)           |
//	   | go ----------------------------------> | (the command's process) execve
//	   | <------- started | failed | exec ----- |
//	   | signal, pause, resume ---------------> |
//	   | <---------------------------- paused - |
//	   | <----------- stopped, continued ------ |
//	   | <-------------------------- exited --- | and the kernel ends the rest
//
// Either side's end closing is the other's order to stop: init dies with srun
// and takes the sandbox with it. A failure comes back as data (failed, exec)
// and never as a status that the command could have had.

/*
#cgo CFLAGS: -O2 -Wall -Wextra -Wshadow -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#include "message.h"
#include "network.h"
#include "plan.h"
*/
import "C"

// opCode is one of plan.h's OP_ constants.
type opCode uint32

const (
	codeListen   opCode = C.OP_LISTEN
	codeWithhold opCode = C.OP_WITHHOLD
	codeLandlock opCode = C.OP_LANDLOCK
	codeSeccomp  opCode = C.OP_SECCOMP
	codeChdir    opCode = C.OP_CHDIR
	codeArg      opCode = C.OP_ARG
	codeEnv      opCode = C.OP_ENV
	codeSearch   opCode = C.OP_SEARCH
	codeTraced   opCode = C.OP_TRACED
	codeWatch    opCode = C.OP_WATCH
	codeKeep     opCode = C.OP_KEEP
	codeEnd      opCode = C.OP_END
	codeIfThere  opCode = C.OP_IF_THERE
)

// opCodes are those of the plan's operations on mounts.
var opCodes = map[plan.OpKind]opCode{
	plan.OpClone: C.OP_CLONE, plan.OpReadonly: C.OP_READONLY, plan.OpWritable: C.OP_WRITABLE, plan.OpAttach: C.OP_ATTACH,
	plan.OpPin: C.OP_PIN, plan.OpBindRO: C.OP_BIND_RO, plan.OpMask: C.OP_MASK,
	plan.OpMkdir: C.OP_MKDIR, plan.OpMkfile: C.OP_MKFILE, plan.OpFile: C.OP_FILE,
	plan.OpTmp: C.OP_TMP, plan.OpLayer: C.OP_LAYER, plan.OpDevice: C.OP_DEVICE,
}

// appendOp encodes one operation: struct op of plan.h, the data, a NUL, and
// padding to eight bytes. The processor's own byte order: both ends are one
// program.
func appendOp(b []byte, code opCode, slot uint32, a uint64, flag uint32, data string) []byte {
	ne := binary.NativeEndian
	b = ne.AppendUint32(b, uint32(code))
	b = ne.AppendUint32(b, slot)
	b = ne.AppendUint64(b, a)
	b = ne.AppendUint32(b, flag)
	b = ne.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	b = append(b, 0)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

// message is struct message of message.h.
type message struct {
	kind uint32
	a, b int32
	text string
}

const (
	messageSize = C.sizeof_struct_message
	maxFDs      = C.MAX_FDS
)

const (
	msgReady     = C.MSG_READY
	msgFailed    = C.MSG_FAILED
	msgStarted   = C.MSG_STARTED
	msgExec      = C.MSG_EXEC
	msgStopped   = C.MSG_STOPPED
	msgContinued = C.MSG_CONTINUED
	msgExited    = C.MSG_EXITED
	msgBroker    = C.MSG_BROKER
	msgForward   = C.MSG_FORWARD
	ctlPlan      = C.CTL_PLAN
	ctlGo        = C.CTL_GO
	ctlSignal    = C.CTL_SIGNAL
	ctlPause     = C.CTL_PAUSE
	ctlResume    = C.CTL_RESUME
	msgPaused    = C.MSG_PAUSED
	msgHeld      = C.MSG_HELD
	ctlHeld      = C.CTL_HELD
	msgSocket    = C.MSG_SOCKET
	ctlSocket    = C.CTL_SOCKET
	msgKeeping   = C.MSG_KEEPING
	msgBare      = C.MSG_BARE
	msgKept      = C.MSG_KEPT
	ctlKeep      = C.CTL_KEEP
	ctlLook      = C.CTL_LOOK
)

//go:generate go run ./generate

// Ports of srun's listeners on the sandbox's own loopback.
const (
	ProxyPort       = C.PROXY_PORT
	TransparentPort = C.TRANSPARENT_PORT
	dnsPort         = C.DNS_PORT
)

func (m message) encode() []byte {
	b := make([]byte, 0, messageSize)
	b = binary.NativeEndian.AppendUint32(b, m.kind)
	b = binary.NativeEndian.AppendUint32(b, uint32(m.a))
	b = binary.NativeEndian.AppendUint32(b, uint32(m.b))
	return append(b, make([]byte, messageSize-len(b))...)
}

func decodeMessage(b []byte) message {
	ne := binary.NativeEndian
	text, _, _ := strings.Cut(string(b[12:]), "\x00")
	return message{kind: ne.Uint32(b), a: int32(ne.Uint32(b[4:])), b: int32(ne.Uint32(b[8:])), text: text}
}

func parseRights(oob []byte) ([]int, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(msgs) == 0 {
		return nil, err
	}
	return unix.ParseUnixRights(&msgs[0])
}

var stageProtection = map[int32]string{
	C.STAGE_NAMESPACES: "namespaces",
	C.STAGE_MOUNTS:     "write-deny",
	C.STAGE_NETWORK:    "transparent-network",
	C.STAGE_LANDLOCK:   "landlock",
	C.STAGE_SECCOMP:    "seccomp",
}

// OldestKernel is the first whose calls srun's init can do its work with
// (mount_setattr(2)).
const OldestKernel = "Linux 5.12"

func failure(m message) *plan.Error {
	err := error(unix.Errno(m.a))
	if m.b == C.STAGE_MOUNTS && err == unix.ENOSYS {
		err = fmt.Errorf("this kernel is too old: %s has what srun mounts with (%w)", OldestKernel, err)
	}
	return &plan.Error{Protection: stageProtection[m.b], What: m.text, Err: err}
}
