package proxy

import (
	"context"
	"errors"

	"srun/policy"
)

// door is a way in: what admit has to know of who asks. A door decides only where
// the rules are silent.
type door interface {
	// silent decides on a target that no rule decides. errMoot has admit look at
	// the rules once more.
	silent(ctx context.Context, s *Server, to target) (grant, error)
}

// A session is the door of HTTP, CONNECT, SOCKS and transparent connections: the
// custom proxy decides, or the user.
func (c *session) silent(ctx context.Context, s *Server, to target) (grant, error) {
	if s.customProxyDecides() {
		return grant{target: to}, nil
	}
	if err := s.neverAsked(to); err != nil {
		return grant{}, err
	}
	if err := s.ask(ctx, to, c.conn); err != nil {
		return grant{}, err
	}
	return grant{target: to, asked: true}, nil
}

// nameDoor is DNS's. A name that will be decided when it is connected to passes:
// nobody is asked about a name that may never be used.
type nameDoor struct{}

func (nameDoor) silent(_ context.Context, s *Server, to target) (grant, error) {
	if s.customProxyDecides() || s.asks() {
		return grant{target: to}, nil
	}
	return grant{}, unlisted(to, unlistedReason)
}

// forwardDoor is that of a port which leads to the host's loopback: the rule that
// forwards it decides, if there is one.
type forwardDoor struct {
	by     string // the rule, "" for none
	source policy.Source
}

func (f forwardDoor) silent(_ context.Context, _ *Server, to target) (grant, error) {
	if f.by == "" {
		return grant{}, unlisted(to, unlistedReason)
	}
	dec := policy.Decision{Verdict: policy.Allowed, Rule: f.by, Source: f.source, Exact: true}
	return grant{target: to, dec: dec}, nil
}

// probeDoor is that of transparent connections to a loopback address. Programs
// probe those: nobody is asked, and nothing is reported.
type probeDoor struct{}

var errNobodyListens = errors.New("no listener")

func (probeDoor) silent(context.Context, *Server, target) (grant, error) {
	return grant{}, errNobodyListens
}

// neverAsked refuses an address that the guard would refuse: no question about
// cloud metadata is put to a user in a hurry. A rule that names the very
// address still allows it.
func (s *Server) neverAsked(to target) error {
	a, ok := to.address()
	if !ok {
		return nil
	}
	o, err := s.guard.Judge(a, false)
	if err != nil || o == nil {
		return err
	}
	d := newDenial(to, policy.Decision{}, CodeAddress, o.String())
	if !o.Final {
		d.Allow = grantOf(to)
	}
	return d
}
