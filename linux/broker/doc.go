// Package broker does for the command what reaches beyond it: the calls that
// make a name, open a file for writing, or connect a socket stop at a filter
// (seccomp_unotify(2)); the broker copies their arguments, judges them, does
// the call itself on descriptors, and answers. No call goes on by itself where
// its arguments lie in memory: another thread could change them after the look.
//
// # What bounds it
//
// The broker acts with no right that the command lacks. Every act starts at the
// caller's own working directory, root or descriptor, opened through /proc as
// an O_PATH descriptor: such a one carries the mount that the command sees,
// read-only where that is. No path is looked up from srun's own root, and
// symbolic links are resolved here, never by the kernel. A worker has dropped
// the capabilities that root's srun has.
//
// # What is judged
//
// A path is judged by where it lands. Denied are paths of the policy that do
// not exist yet, protected names in directories that were there when the run
// began, globs, and in every git directory whatever git would run or follow.
// What exists and is denied by its path is a read-only mount besides.
//
// # Limitations
//
// Reads do not stop. A path longer than PATH_MAX cannot be named, so protected
// names are refused in such a directory. A terminal that is opened for writing
// does not become the caller's controlling terminal; TIOCSCTTY makes it so.
package broker
