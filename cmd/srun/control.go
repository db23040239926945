package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"srun/launcher"
	"srun/policy"
)

// longestUpdate bounds a line of --control-fd.
const longestUpdate = 16 << 20

// openControl takes the descriptor of --control-fd, nil where there is none. The
// command does not inherit it, nor any other of the same pipe, such as the end
// that its writer kept open: they are the second value.
func (o *options) openControl() (*os.File, []int, error) {
	switch {
	case o.controlFD < 0:
		return nil, nil, nil
	case o.controlFD <= 2:
		return nil, nil, fmt.Errorf("--control-fd: %d: standard input, output and error are the command's", o.controlFD)
	}
	var control, st unix.Stat_t
	if err := readable(o.controlFD, &control); err != nil {
		return nil, nil, fmt.Errorf("--control-fd: %d: %w", o.controlFD, err)
	}
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return nil, nil, fmt.Errorf("--control-fd: %w", err)
	}
	withheld := []int{o.controlFD}
	for _, e := range open {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd == o.controlFD || control.Mode&unix.S_IFMT != unix.S_IFIFO || unix.Fstat(fd, &st) != nil || st.Dev != control.Dev || st.Ino != control.Ino {
			continue
		}
		if fd <= 2 {
			return nil, nil, fmt.Errorf("--control-fd: %d: the command has it too, as descriptor %d", o.controlFD, fd)
		}
		withheld = append(withheld, fd)
	}
	unix.CloseOnExec(o.controlFD)
	return os.NewFile(uintptr(o.controlFD), "--control-fd"), withheld, nil
}

// readable finds out whether a descriptor can be read from at all: who counts on
// updates that never come believes what he wrote to be in force.
func readable(fd int, st *unix.Stat_t) error {
	if err := unix.Fstat(fd, st); err != nil {
		return err
	}
	if own, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || own&unix.FD_CLOEXEC != 0 {
		return unix.EBADF // srun's own: one that was handed down has not got the flag
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	switch {
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return errors.New("a directory")
	case flags&unix.O_ACCMODE == unix.O_WRONLY || flags&pathOnly != 0:
		return errors.New("not open for reading")
	}
	return nil
}

// control follows updates until the other side closes: each line is a settings
// object, whose network lists hold from the next connection on. A bad line is
// reported and changes nothing.
func control(p *printer, from io.Reader, live *policy.Live, cmd *launcher.Cmd) {
	for in := bufio.NewReader(from); ; {
		line, err := readUpdate(in)
		switch {
		case errors.Is(err, errLongUpdate):
			p.line("--control-fd: %v", err)
			continue
		case err != nil && err != io.EOF:
			p.line("--control-fd: %v", err)
			return
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			update(p, line, live, cmd)
		}
		if err != nil {
			return
		}
	}
}

func update(p *printer, line []byte, live *policy.Live, cmd *launcher.Cmd) {
	domains, notices, err := live.Update(line)
	if err != nil {
		p.line("%v; the line changes nothing", remedied(err))
		return
	}
	for _, n := range notices {
		p.line("%s", notice(n))
	}
	if err := cmd.SetDomains(domains); err != nil {
		p.line("--control-fd: %v", err)
	}
	p.debugf("--control-fd: the network lists changed")
}

var errLongUpdate = fmt.Errorf("a line longer than %d MiB, which changes nothing", longestUpdate>>20)

// readUpdate reads a line, and past one that is too long.
func readUpdate(in *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > longestUpdate; !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case long && (err == nil || err == io.EOF):
			return nil, errLongUpdate
		default:
			return line, err
		}
	}
}
