// Package procfs reads what /proc says of a process. Each answer may be out of date
// when it is given.
package procfs
