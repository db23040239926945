package relay

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// pipe carries bytes between two sockets inside the kernel.
type pipe struct{ r, w int }

// pipeSize is asked for; the kernel may grant less (pipe-user-pages-soft).
const pipeSize = 1 << 20

// maxPipes bounds the pipes that all tunnels together splice through. A tunnel
// that finds none copies through memory.
const maxPipes = 16

// pipeIdle passes before pipes that no tunnel uses are closed.
const pipeIdle = time.Second

var (
	idlePipes  = make(chan *pipe, maxPipes)
	totalPipes atomic.Int32
	trimming   atomic.Bool // a timer is set
)

// getPipe returns a pipe, or nil when all are in use: pipes are a budget of the
// user's, so there are never more than maxPipes.
func getPipe() *pipe {
	select {
	case p := <-idlePipes:
		return p
	default:
	}
	if totalPipes.Add(1) > maxPipes {
		totalPipes.Add(-1)
		return nil
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		totalPipes.Add(-1)
		return nil
	}
	unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	return &pipe{fds[0], fds[1]}
}

// putPipe gives an empty pipe back. It is closed when nobody wants one for a
// while.
func putPipe(p *pipe) {
	idlePipes <- p
	if trimming.CompareAndSwap(false, true) {
		time.AfterFunc(pipeIdle, trimPipes)
	}
}

// trimPipes closes the pipes that are idle now. Busy streams have theirs out, or
// get another.
func trimPipes() {
	trimming.Store(false)
	for {
		select {
		case p := <-idlePipes:
			p.close()
		default:
			return
		}
	}
}

// close drops a pipe, which may still hold bytes.
func (p *pipe) close() {
	unix.Close(p.r)
	unix.Close(p.w)
	totalPipes.Add(-1)
}

const spliceFlags = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK

// fill moves what a socket holds into the empty pipe.
func (p *pipe) fill(from int) (int, error) {
	return ignoringEINTR(func() (int, error) {
		n, err := unix.Splice(from, nil, p.w, nil, pipeSize, spliceFlags)
		return int(n), err
	})
}

// empty moves up to n bytes from the pipe to a socket.
func (p *pipe) empty(to, n int) (int, error) {
	return ignoringEINTR(func() (int, error) {
		m, err := unix.Splice(p.r, nil, to, nil, n, spliceFlags)
		return max(int(m), 0), err
	})
}

// PipesInUse is how many pipes are out: none, when no relay is at work.
func PipesInUse() int { return int(totalPipes.Load()) - len(idlePipes) }
