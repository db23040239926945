package proxy

import (
	"context"
	"errors"

	"srun/policy"
	"srun/proxy/internal/question"
)

// askingDoor is that of HTTP, CONNECT, SOCKS and transparent connections: the
// custom proxy decides, or the user, who is told by whom he is asked.
type askingDoor struct{ by func() question.Process }

func (a askingDoor) silent(ctx context.Context, by *decider, to target) (grant, error) {
	if by.inside.has(to) {
		return grant{target: to, inside: true}, nil
	}
	if by.customProxyDecides() {
		return grant{target: to}, nil
	}
	if err := by.neverAsked(to); err != nil {
		return grant{}, err
	}
	refused, err := by.asker.Ask(ctx, to.HostPort, a.by)
	switch {
	case err != nil:
		return grant{}, err
	case refused != "":
		return grant{}, unlisted(to, refused)
	}
	return grant{target: to, asked: true}, nil
}

// nameDoor is DNS's. A name that will be decided when it is connected to passes:
// nobody is asked about a name that may never be used.
type nameDoor struct{}

func (nameDoor) silent(_ context.Context, by *decider, to target) (grant, error) {
	if by.customProxyDecides() || by.asker.Asks() {
		return grant{target: to}, nil
	}
	return grant{}, unlisted(to, question.Unlisted)
}

// forwardDoor is that of a port which leads to the host's loopback: the rule that
// forwards it decides, if there is one.
type forwardDoor struct {
	by     string // the rule, "" for none
	source policy.Source
}

func (f forwardDoor) silent(_ context.Context, _ *decider, to target) (grant, error) {
	if f.by == "" {
		return grant{}, unlisted(to, question.Unlisted)
	}
	dec := policy.Decision{Verdict: policy.Allowed, Rule: f.by, Source: f.source, Exact: true}
	return grant{target: to, dec: dec}, nil
}

// probeDoor is that of transparent connections to a loopback address. Programs
// probe those: nobody is asked, and nothing is reported.
type probeDoor struct{}

var errNobodyListens = errors.New("no listener")

func (probeDoor) silent(context.Context, *decider, target) (grant, error) {
	return grant{}, errNobodyListens
}
