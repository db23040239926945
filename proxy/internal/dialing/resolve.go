package dialing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"srun/policy"
)

// errNoAddress says that a name exists without an address.
var errNoAddress = errors.New("the name has no address")

// Lookup looks a name up, outside the sandbox. A name with a dot is looked up
// as it stands: a search domain would make another name of it.
func (n *Net) Lookup(ctx context.Context, h policy.Host) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	lookup := n.Resolve
	if lookup == nil {
		lookup = resolveOutside
	}
	found, err := lookup(ctx, h.String())
	if err == nil && len(found) == 0 {
		err = errNoAddress
	}
	if err != nil {
		return nil, &ResolveError{h, err}
	}
	return found, nil
}

// ResolveError says that an allowed name could not be resolved.
type ResolveError struct {
	host policy.Host
	err  error
}

func (e *ResolveError) Error() string {
	var dns *net.DNSError
	if errors.As(e.err, &dns) && dns.IsNotFound {
		return fmt.Sprintf("resolve %s: no such name", e.host)
	}
	return fmt.Sprintf("resolve %s: %v", e.host, e.err)
}

func (e *ResolveError) Unwrap() error { return e.err }

// resolveOutside is Go's own resolver, which needs no C library.
func resolveOutside(ctx context.Context, host string) ([]netip.Addr, error) {
	if strings.Contains(host, ".") {
		host += "."
	}
	r := net.Resolver{PreferGo: true}
	return r.LookupNetIP(ctx, "ip", host)
}
