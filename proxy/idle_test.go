//go:build !race

package proxy

const idleLimit = 32 // KiB for an idle tunnel
