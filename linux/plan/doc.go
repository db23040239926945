// Package plan turns a policy into a [Plan]: everything that happens between the
// policy and the command, worked out once. Whoever applies a part of it takes a
// field and derives nothing.
//
// It makes no system call of Linux: what it looks at is a [Host], which the backend
// hands in, so that plans are made and compared in tests on any system.
//
// # Limitations
//
// A plan is of one moment. What others do to the file system afterwards is for
// those to notice who apply it: they follow no symbolic link, and take a directory
// by its [FileID] where its name alone is not to be trusted.
package plan
