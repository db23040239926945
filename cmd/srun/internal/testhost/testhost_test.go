//go:build linux

package testhost_test

import (
	"os"
	"testing"

	"srun/cmd/srun/internal/testhost"
)

func TestMain(m *testing.M) {
	if os.Getenv(testhost.BinaryVar) == "" {
		os.Setenv(testhost.BinaryVar, "/bin/false") // these tests need no srun
	}
	testhost.Main(m)
}

// TestHosts holds the controls of srun's tests: what must work without srun.
func TestHosts(t *testing.T) { testhost.Scripts(t, "testdata/script") }
