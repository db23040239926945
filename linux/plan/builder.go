package plan

import "srun/policy"

// builder is a plan in the making.
type builder struct {
	host    Host
	dir     string // the working directory
	root    string // what may be written without a rule, "" for nothing
	plan    *Plan
	points  []point
	roots   nodes // of the writable paths alone
	missing []MissingPath
	links   []string      // on the way to denied paths
	ways    []string      // the last directory that is there, on the way to each missing path
	allowed []linkedAllow // allows that lead through a link
	globs   []Glob        // that hold for what is made later
	opened  func(path string) bool
	kept    map[string]bool // configurations that the broker judges

	templates []string // that git makes repositories from
}

// linkedAllow is an allow whose path leads through symbolic links.
type linkedAllow struct {
	rule  policy.PathRule
	place Place
	as    point
}
