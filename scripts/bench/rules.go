package main

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"srun/policy"
)

// domainRules measures a million rules, such as a blocklist: reading them,
// judging one name, and the memory that they hold.
func domainRules([]*contestant, string) error {
	const count = 1_000_000
	texts := make([]string, count)
	for i := range texts {
		texts[i] = fmt.Sprintf("*.host-%d.example%d.com", i, i%1000)
	}
	before := heap()
	begun := time.Now()
	rules := make([]policy.DomainRule, count)
	for i, text := range texts {
		pattern, err := policy.ParsePattern(text)
		if err != nil {
			return err
		}
		rules[i].Pattern = pattern
	}
	domains := policy.NewDomains(nil, rules)
	loaded := time.Since(begun)
	rules = nil
	held := heap() - before

	const asks = 200_000
	targets := make([]policy.HostPort, 1000)
	for i := range targets {
		var err error
		if targets[i], err = policy.ParseHostPort(fmt.Sprintf("www.host-%d.example%d.com:443", i*2, i%1000)); err != nil {
			return err
		}
	}
	begun = time.Now()
	for i := range asks {
		domains.Decide(targets[i%len(targets)])
	}
	each := time.Since(begun) / asks
	runtime.KeepAlive(domains)
	runtime.KeepAlive(texts)

	printRow("a million rules, load", ms(loaded), "1500 ms", loaded.Seconds()/1.5, 1, "")
	printRow("a million rules, match", each.String(), "300ns", float64(each)/300, 1, "")
	why := fmt.Sprintf("a rule keeps its spelling and its source for the denial that names it: %d bytes beside the index",
		unsafe.Sizeof(policy.DomainRule{}))
	printRow("a million rules, heap", fmt.Sprintf("%d MB", held/1e6), "150 MB", float64(held)/150e6, 1, why)
	return nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
