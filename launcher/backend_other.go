//go:build !linux

package launcher

import (
	"fmt"
	"runtime"
)

// startBackend refuses: a command never runs without a sandbox.
func (c *Cmd) startBackend() error {
	return fmt.Errorf("cannot enforce namespaces: there is no backend for %s yet", runtime.GOOS)
}
