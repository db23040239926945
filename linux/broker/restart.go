//go:build linux

package broker

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// restarts keep a call from being done twice. Before Linux 5.19 a signal takes a
// caller away from the answer that it waits for; the kernel then has it make the
// same call again (SA_RESTART), or the program does, told of EINTR. Such a call
// gets the answer to the first: a name that was made is there by then.
//
// What is left: the kernel takes an answer also in the moment between a signal
// and the caller's leaving (seccomp_do_user_notification), and tells nobody
// that it was not delivered.
type restarts struct {
	mu      sync.Mutex
	ended   sync.Cond
	dealt   map[uint32]bool    // threads of which a call is being dealt with
	answers map[uint32][]*lost // by thread; the newest last
}

// lost is an answer that did not get to its caller.
type lost struct {
	note   notification
	read   []memory // what its arguments point to
	began  string   // when the thread did: its number may be another's by now
	val    int64
	file   int    // to be handed in, if not -1
	handed fileID // what the caller has at the descriptor val already
	others int    // calls that its thread made since
}

// memory is a piece of a caller's.
type memory struct {
	at   uint64
	data []byte
}

// Bounds of what is kept.
const (
	mostOthers = 8   // calls of a signal's handler
	mostLost   = 256 // threads
)

func newRestarts() *restarts {
	r := &restarts{dealt: map[uint32]bool{}, answers: map[uint32][]*lost{}}
	r.ended.L = &r.mu
	return r
}

// begin waits until no other call of a thread's is being dealt with: it may be
// the one that the thread was taken away from.
func (r *restarts) begin(tid uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.dealt[tid] {
		r.ended.Wait()
	}
	r.dealt[tid] = true
}

func (r *restarts) end(tid uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.dealt, tid)
	r.ended.Broadcast()
}

func (r *restarts) add(l *lost) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tid, calls := range r.answers {
		if began(tid) != calls[0].began || len(r.answers) >= mostLost {
			r.set(tid, nil, calls)
		}
	}
	calls := append(r.answers[l.note.pid], l)
	old := max(0, len(calls)-mostOthers)
	r.set(l.note.pid, calls[old:], calls[:old])
}

// take returns the answer that was lost to the same call of a thread's, if there
// is one. What was lost later was a handler's, which has returned.
func (r *restarts) take(tid uint32, same func(*lost) bool) *lost {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.answers[tid]
	for i := len(calls) - 1; i >= 0; i-- {
		if same(calls[i]) {
			r.set(tid, calls[:i], calls[i+1:])
			return calls[i]
		}
	}
	old := 0
	for i, l := range calls {
		if l.others++; l.others > mostOthers {
			old = i + 1
		}
	}
	r.set(tid, calls[old:], calls[:old])
	return nil
}

// set keeps some of a thread's answers and drops others.
func (r *restarts) set(tid uint32, kept, dropped []*lost) {
	for _, l := range dropped {
		l.close()
	}
	if len(kept) == 0 {
		delete(r.answers, tid)
		return
	}
	r.answers[tid] = kept
}

func (r *restarts) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tid, calls := range r.answers {
		r.set(tid, nil, calls)
	}
}

func (l *lost) close() {
	if l.file >= 0 {
		unix.Close(l.file)
	}
	l.file = -1
}

// began is when a thread started, a field of /proc/TID/stat (proc_pid_stat(5)).
func began(tid uint32) string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(int(tid)) + "/stat")
	const startTime = 22 - 3 // behind the name, which may have spaces in it
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= startTime {
		return ""
	}
	return string(fields[startTime])
}

// wasRead takes down what was read of the caller's memory.
func (c *call) wasRead(at uint64, data []byte) {
	if c.restarts != nil {
		c.read = append(c.read, memory{at, bytes.Clone(data)})
	}
}

// notDelivered takes down an answer that the caller was taken away from.
func (c *call) notDelivered(l lost) {
	if c.restarts == nil {
		l.close()
		return
	}
	l.note, l.read, l.began = c.note, c.read, began(c.note.pid)
	if l.began == "" { // it was killed
		l.close()
		return
	}
	c.restarts.add(&l)
}

// repeated answers a call that was done already, when its caller was taken away.
func (c *call) repeated() bool {
	l := c.restarts.take(c.note.pid, c.isSame)
	if l == nil {
		return false
	}
	for i, was := range l.note.args {
		for _, m := range l.read {
			if m.at == was {
				c.read = append(c.read, memory{c.arg(i), m.data})
			}
		}
	}
	if l.file >= 0 {
		_, _, flags, _ := c.openCall()
		c.creates = true
		c.give(l.file, 0, flags&unix.O_CLOEXEC != 0)
		return true
	}
	if answer(c.notify, c.note.id, l.val, 0) != 0 {
		c.notDelivered(lost{val: l.val, file: -1, handed: l.handed})
	}
	return true
}

// isSame tells whether the call is the one that an answer is to. A program that
// makes it again itself may have its strings elsewhere by then.
func (c *call) isSame(l *lost) bool {
	if l.note.nr != c.note.nr || l.note.arch != c.note.arch || l.note.ip != c.note.ip || l.began != began(c.note.pid) {
		return false
	}
	for i, was := range l.note.args[:arguments[c.what]] {
		at := slices.IndexFunc(l.read, func(m memory) bool { return m.at == was })
		if at < 0 && was != c.arg(i) {
			return false
		}
		if at >= 0 && !c.has(c.arg(i), l.read[at].data) {
			return false
		}
	}
	if l.handed == (fileID{}) {
		return true
	}
	var st unix.Stat_t
	fd, err := c.inTask("fd/"+strconv.FormatInt(l.val, 10), unix.O_PATH)
	if err != nil {
		return false
	}
	err = unix.Fstat(fd, &st)
	unix.Close(fd)
	return err == nil && idOf(&st) == l.handed
}

// has tells what is in the caller's memory.
func (c *call) has(at uint64, data []byte) bool {
	now := make([]byte, len(data))
	_, errno := readMemory(c.tid(), at, now)
	return errno == 0 && bytes.Equal(now, data)
}
