package serving

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// A listener goes on after errors that say nothing of it.
func TestPasses(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ECONNABORTED: true, syscall.ENOMEM: true,
		syscall.EBADF: false, syscall.EINVAL: false, errors.New("x"): false,
	} {
		if passes(os.NewSyscallError("accept", err)) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
