// Package pathtree is the one answer to what may be done at a path. The planner
// of mounts, the broker that judges acts, the tracer that explains failures and
// the settings' own verdicts all ask it.
//
// Paths are absolute, clean and without symbolic links. What holds at one is
// found by going down to it from the root: each directory on the way may have
// rules, which are added to what holds above ([State.Enter]). So the narrowest
// rule wins for reading and a tie denies, while a denied write stays denied
// below.
//
// # Limitations
//
// It knows no file system: who asks resolves links first, and again when they
// may have changed.
package pathtree
