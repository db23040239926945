package main

import (
	"os"

	"srun/launcher"
)

// upstream is the corporate proxy of srun's own environment, which the
// policy's upstreamProxy overrides. The lower-case names win, as with curl.
func upstream() launcher.Upstream {
	var up launcher.Upstream
	up.HTTP, up.HTTPFrom = firstSet("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
	up.Other, up.OtherFrom = firstSet("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
	up.NoProxy, _ = firstSet("no_proxy", "NO_PROXY")
	return up
}

// firstSet returns the first of the variables that is not empty, with its name.
func firstSet(names ...string) (value, name string) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}
