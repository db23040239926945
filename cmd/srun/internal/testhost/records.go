//go:build linux

package testhost

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// recordsPath is the file, one line an event, in which the servers note everything
// that reaches them:
//
//	dns A git.srun.test
//	tcp 198.51.100.10:443
//	udp 198.51.100.10:9999 "text"
//	http GET git.srun.test /echo
//	unix host.sock
func (m machine) recordsPath() string { return filepath.Join(m.dir, "records") }

// A recorder appends lines to the records file.
type recorder struct {
	mu   sync.Mutex
	file *os.File
}

func (m machine) newRecorder() (*recorder, error) {
	file, err := os.OpenFile(m.recordsPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return &recorder{file: file}, err
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.file, format+"\n", args...)
}
