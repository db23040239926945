package policy_test

import (
	"fmt"

	"srun/policy"
)

func ExampleNewDomains() {
	rule := func(s string) policy.DomainRule {
		p, err := policy.ParsePattern(s)
		if err != nil {
			panic(err)
		}
		return policy.DomainRule{Pattern: p, Source: policy.Source{Tier: policy.TierFlag, Flag: "--flag"}}
	}
	domains := policy.NewDomains(
		[]policy.DomainRule{rule("*.example.com:443")},
		[]policy.DomainRule{rule("internal.example.com")},
	)
	for _, s := range []string{"www.example.com:443", "internal.example.com:443", "example.com:443"} {
		hp, err := policy.ParseHostPort(s)
		if err != nil {
			panic(err)
		}
		d := domains.Decide(hp)
		fmt.Println(hp, d.Verdict, d.Rule)
	}
	// Output:
	// www.example.com:443 allowed *.example.com:443
	// internal.example.com:443 denied internal.example.com
	// example.com:443 undecided
}
