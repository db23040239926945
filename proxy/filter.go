package proxy

import (
	"context"
	"sync/atomic"

	"srun/policy"
	"srun/proxy/internal/addrguard"
	"srun/proxy/internal/audit"
	"srun/proxy/internal/dialing"
	"srun/proxy/internal/question"
)

// filter is the steps that a connection goes through, each made once and knowing
// only what it needs.
type filter struct {
	ctx context.Context // ends with the server

	rules    *nameRules
	decide   *decider
	dials    *dialler
	names    *names
	requests ruleList
	record   *reporter
	warned   *warnings
	ready    *ready

	tls  *TLS                       // nil where TLS stays closed
	line func(policy.Denial) string // nil is Denial.Line

	http2     atomic.Int32 // connections of HTTP/2, in terminated TLS or in the clear
	requested atomic.Int32 // and the requests in them
}

func newFilter(ctx context.Context, cfg *Config) *filter {
	f := &filter{ctx: ctx, rules: &nameRules{}, requests: cfg.Rules, tls: cfg.TLS, line: cfg.Line, warned: &warnings{warn: cfg.Warn}, ready: &ready{}}
	f.rules.set(cfg.Domains)
	guard := &addrguard.Guard{Denied: cfg.DeniedAddresses, HostAddrs: cfg.HostAddrs}
	ways := exits{cfg.HTTPProxyPort, cfg.SOCKSProxyPort, cfg.Upstream}
	ask := cfg.Ask
	if cfg.Strict {
		ask = nil
	}
	asker := question.New(ctx, ask, cfg.AskTimeout, f.rules.decided)
	f.decide = &decider{rules: f.rules, asker: asker, guard: guard, inside: cfg.Inside, custom: ways.custom()}
	f.dials = &dialler{exits: ways, out: &dialing.Net{Resolve: cfg.Resolve, Dial: cfg.Dial}, rules: f.rules, guard: guard, inside: cfg.Inside}
	f.names = &names{f.decide, cfg.Strict}
	f.record = &reporter{denied: cfg.Denied, peer: cfg.Peer}
	if cfg.Audit != nil {
		f.record.log = &audit.Log{W: cfg.Audit}
	}
	return f
}

// over reports that the server is closed.
func (f *filter) over() bool { return f.ctx.Err() != nil }

// warnOfProxy tells of a proxy that failed.
func (f *filter) warnOfProxy(to target, err error) {
	if !f.over() {
		f.warned.ofProxy(to, err)
	}
}

// told is what a client is told of a denial.
func (f *filter) told(d *Denial) string {
	if f.line == nil {
		return d.Line()
	}
	return f.line(d.Told())
}
