package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"srun/launcher"
	"srun/policy"
)

// explain prints the plan of a run and runs nothing.
func explain(o *options, pol *policy.Policy) (int, error) {
	rules, err := launcher.Explain(pol)
	if err != nil {
		return statusFailed, startFailure(err)
	}
	if o.explain == "json" {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		for _, r := range rules {
			if err := enc.Encode(r); err != nil {
				return statusFailed, err
			}
		}
		return 0, nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Effect, r.Target, r.Source, r.Mechanism)
	}
	if err := w.Flush(); err != nil {
		return statusFailed, err
	}
	return 0, nil
}
