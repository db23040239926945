package main

import (
	"cmp"
	"os"

	"srun/launcher"
)

// upstream is the corporate proxy of srun's own environment, which the
// policy's upstreamProxy overrides. The lower-case names win, as with curl.
func upstream() launcher.Upstream {
	all := either("all_proxy", "ALL_PROXY")
	return launcher.Upstream{
		HTTP:    cmp.Or(either("http_proxy", "HTTP_PROXY"), all),
		Other:   cmp.Or(either("https_proxy", "HTTPS_PROXY"), all),
		NoProxy: either("no_proxy", "NO_PROXY"),
	}
}

func either(lower, upper string) string { return cmp.Or(os.Getenv(lower), os.Getenv(upper)) }
