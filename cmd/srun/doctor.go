package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"srun/launcher"
)

// doctor prints what this host can enforce; its status is 0 at full strength.
func doctor(p *printer) int {
	checks := launcher.Doctor()
	status := 0
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, c := range checks {
		word := "ok"
		if !c.OK {
			word, status = "missing", 1
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", word, c.Protection, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(w, "\t\tfix: %s\n", c.Fix)
		}
	}
	if err := w.Flush(); err != nil {
		p.line("%v", err)
		return statusFailed
	}
	return status
}
