//go:build race

package proxy

// idleLimit is KiB for an idle tunnel: the race detector adds to every goroutine.
const idleLimit = 48
