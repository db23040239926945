//go:build unix && !linux

package relay

import "errors"

// pipe stands in for Linux's: there is no splice here, and getPipe never
// returns one.
type pipe struct{}

var errNoSplice = errors.New("splice: not on this system")

func getPipe() *pipe                      { return nil }
func putPipe(*pipe)                       {}
func (*pipe) close()                      {}
func (*pipe) fill(int) (int, error)       { return 0, errNoSplice }
func (*pipe) empty(int, int) (int, error) { return 0, errNoSplice }

// PipesInUse is none.
func PipesInUse() int { return 0 }
