//go:build !linux

package launcher

import (
	"fmt"
	"runtime"

	"srun/policy"
)

var hostBackend Backend = noBackend{}

// noBackend refuses: a command never runs without a sandbox.
type noBackend struct{}

var errNoBackend = fmt.Errorf("there is no backend for %s yet", runtime.GOOS)

func (noBackend) Capabilities() policy.Capabilities { return policy.Capabilities{} }

func (noBackend) Probe() []Check {
	return []Check{{Protection: "namespaces", Detail: errNoBackend.Error()}}
}

func (noBackend) Plan(Work) (Plan, error) {
	return nil, fmt.Errorf("cannot enforce namespaces: %w", errNoBackend)
}

// Missing names the protection that an error of Start says cannot be enforced.
func Missing(error) string { return "" }

// cachePath is where a cache is that the host has not got.
func cachePath(bare, name string) string { return bare + "/" + name }

// HostListening lists the TCP ports that are served on the host's localhost, where
// that can be told.
func HostListening() []uint16 { return nil }
