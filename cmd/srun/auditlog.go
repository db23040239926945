package main

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"

	"srun/policy"
)

// auditLog is the file of --audit-log. A disk that is full loses lines and not
// the run, and SIGHUP has it opened again by its name, for those who rotate.
type auditLog struct {
	print *printer

	mu      sync.Mutex
	file    *os.File
	path    string // absolute, its directory's links resolved; "" cannot be opened again
	failing bool   // told, until a line gets through
	torn    bool   // the last line is not whole
}

// openAuditLog opens the file, which the policy then keeps from the command.
func openAuditLog(p *printer, pol *policy.Policy, name string) (*auditLog, error) {
	f, err := openOwn(pol, "--audit-log", name, os.O_APPEND)
	if err != nil {
		return nil, err
	}
	l := &auditLog{print: p, file: f}
	if path, err := resolvedParent(name); err == nil && !deviceName(path) {
		l.path = path
	}
	return l, nil
}

// Write appends one line, and says so once when that fails.
func (l *auditLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.file.Write(line)
	if n > 0 {
		l.torn = !bytes.HasSuffix(line[:n], []byte{'\n'})
	}
	if err != nil && !l.failing {
		l.print.line("--audit-log: %v; lines are lost until it can be written again", err)
	}
	l.failing = err != nil
	return len(line), err
}

// reopen follows the name to a new file. Where the command could have made that
// file, the old one stays: what keeps the log from it was set up at the start.
func (l *auditLog) reopen(pol *policy.Policy) {
	if l.path == "" {
		return
	}
	if pol.WriteVerdict(filepath.Dir(l.path)).Verdict == policy.Allowed {
		l.print.line("--audit-log: not opened again: the command may write to its directory")
		return
	}
	f, _, err := openNoLink(l.path, os.O_APPEND)
	if err != nil {
		l.print.line("--audit-log: %v; the old file stays in use", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
	l.file, l.torn = f, false
}

// close ends the log.
func (l *auditLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil {
		l.print.line("--audit-log: %v", err)
	}
}
