package plan

import "fmt"

// Error is a protection that could not be set up, or a command that could not
// be started: the command did not run.
type Error struct {
	Protection string // a name of CONTRACT section 8; "" when the command itself is at fault
	What       string // the step that failed
	Err        error  // usually a unix.Errno
}

func (e *Error) Error() string {
	if e.Protection == "" {
		return fmt.Sprintf("%s: %v", e.What, e.Err)
	}
	return fmt.Sprintf("cannot enforce %s: %s: %v", e.Protection, e.What, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Quoted is a path as a message shows it.
func Quoted(path string) string {
	const longest = 300
	if len(path) > longest {
		path = path[:longest] + "..."
	}
	if q := fmt.Sprintf("%q", path); q != `"`+path+`"` {
		return q
	}
	return path
}
