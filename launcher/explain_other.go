//go:build !linux

package launcher

import (
	"fmt"
	"runtime"

	"srun/policy"
)

// Missing names the protection that an error of Start says cannot be enforced.
func Missing(error) string { return "" }

// Capabilities is what this build enforces here: nothing.
func Capabilities() policy.Capabilities { return policy.Capabilities{} }

// Explain fails where there is no backend.
func Explain(*policy.Policy) ([]Rule, error) {
	return nil, fmt.Errorf("explain: there is no backend for %s yet", runtime.GOOS)
}

// Doctor reports that there is no backend.
func Doctor() []Check {
	return []Check{{Protection: "namespaces", Detail: "there is no backend for " + runtime.GOOS + " yet"}}
}
