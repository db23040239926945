//go:build linux

package main

import (
	"testing"

	"srun/cmd/srun/internal/testhost"
)

// TestMain runs this package's tests twice, as root and as an ordinary user,
// on hosts of their own with the real binary in PATH.
func TestMain(m *testing.M) { testhost.Main(m) }

// TestScript runs srun as its users do: one script a behaviour.
func TestScript(t *testing.T) { testhost.Scripts(t, "testdata/script") }
