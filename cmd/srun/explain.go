package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
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
	for i, r := range rules {
		if r.Grant.Kind != "" {
			rules[i].Source = spelling{pol.Home}.flag(r.Grant)
		}
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
	if o.explain == "text" {
		rules = folded(rules)
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

// fewDefaults is how many default rules of one effect are shown one by one.
const fewDefaults = 3

// folded has the rules of files and flags first, of defaults that are many how
// many they are, and of what is done for all of them nothing.
func folded(rules []launcher.Rule) []launcher.Rule {
	byDefault := func(r launcher.Rule) bool { return r.Source == "default" }
	count := map[string]int{}
	for _, r := range rules {
		if byDefault(r) {
			count[r.Effect]++
		}
	}
	shown := slices.DeleteFunc(slices.Clone(rules), func(r launcher.Rule) bool { return byDefault(r) || r.Source == "plan" })
	told := map[string]bool{}
	for _, r := range rules {
		switch n := count[r.Effect]; {
		case !byDefault(r) || told[r.Effect]:
			continue
		case n > fewDefaults:
			told[r.Effect] = true
			r.Target = fmt.Sprintf("(%d, listed by --explain=all)", n)
		}
		shown = append(shown, r)
	}
	return shown
}

// loosened are the rules of some files that allow something.
func loosened(pol *policy.Policy, files []string) (rules []launcher.Rule) {
	all, err := launcher.Explain(pol)
	if err != nil {
		return nil // a run will say so
	}
	for _, r := range all {
		from := slices.ContainsFunc(files, func(file string) bool { return strings.HasPrefix(r.Source, file+":") })
		if from && !strings.HasPrefix(r.Effect, "deny") {
			rules = append(rules, r)
		}
	}
	return rules
}
