package launcher

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// stdio is the command's three descriptors and what srun does to feed them.
type stdio struct {
	child  [3]*os.File
	close  []io.Closer // the command's ends, ours only to open
	parent []io.Closer
	pumps  []func() error

	wg  sync.WaitGroup
	mu  sync.Mutex
	err error
}

func (s *stdio) open(c *Cmd) error {
	err := s.input(c.Stdin)
	if err == nil {
		err = s.output(1, c.Stdout)
	}
	if err == nil && c.Stderr != nil && sameWriter(c.Stderr, c.Stdout) {
		s.child[2] = s.child[1]
	} else if err == nil {
		err = s.output(2, c.Stderr)
	}
	if err != nil {
		s.closeChildEnds()
		s.abandon()
	}
	return err
}

// sameWriter compares two writers, of which one may be of a type that cannot
// be compared.
func sameWriter(a, b io.Writer) bool {
	defer func() { recover() }()
	return a == b
}

func (s *stdio) input(r io.Reader) error {
	switch r := r.(type) {
	case nil:
		return s.null(0, os.O_RDONLY)
	case *os.File:
		s.child[0] = r
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.child[0] = pr
	s.close = append(s.close, pr)
	s.parent = append(s.parent, pw)
	s.pumps = append(s.pumps, func() error {
		_, err := io.Copy(pw, r)
		if errors.Is(err, syscall.EPIPE) {
			err = nil // the command need not read all of it
		}
		return errors.Join(err, pw.Close())
	})
	return nil
}

func (s *stdio) output(i int, w io.Writer) error {
	switch w := w.(type) {
	case nil:
		return s.null(i, os.O_WRONLY)
	case *os.File:
		s.child[i] = w
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.child[i] = pw
	s.close = append(s.close, pw)
	s.parent = append(s.parent, pr)
	s.pumps = append(s.pumps, func() error {
		_, err := io.Copy(w, pr)
		return errors.Join(err, pr.Close())
	})
	return nil
}

func (s *stdio) null(i, flag int) error {
	f, err := os.OpenFile(os.DevNull, flag, 0)
	if err != nil {
		return err
	}
	s.child[i] = f
	s.close = append(s.close, f)
	return nil
}

func (s *stdio) closeChildEnds() {
	for _, c := range s.close {
		c.Close()
	}
	s.close = nil
}

// abandon is for a command that did not start.
func (s *stdio) abandon() {
	for _, c := range s.parent {
		c.Close()
	}
}

func (s *stdio) copy() {
	for _, pump := range s.pumps {
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			if err := pump(); err != nil {
				s.mu.Lock()
				s.err = errors.Join(s.err, err)
				s.mu.Unlock()
			}
		}()
	}
}

func (s *stdio) wait() error {
	s.wg.Wait()
	return s.err
}
