//go:build linux

package broker

import (
	"testing"
	"time"
)

func TestReportsToldInTime(t *testing.T) {
	var r reports
	told := 0
	r.start(func(Denial) { told++ })
	for i := range 100 {
		if r.told(Denial{}); told != i+1 {
			t.Fatalf("%d told after %d refusals", told, i+1)
		}
	}
}

// What nobody takes holds up one refusal, not each.
func TestReportsHeldUp(t *testing.T) {
	var r reports
	held := make(chan struct{})
	told := 0
	r.start(func(Denial) { <-held; told++ })
	begin := time.Now()
	for range 1000 {
		r.told(Denial{})
	}
	if took := time.Since(begin); took > 100*inTime {
		t.Errorf("1000 refusals waited %v", took)
	}
	close(held)
	r.flush()
	if told != 1000 {
		t.Errorf("%d told of 1000", told)
	}
	if r.told(Denial{}); told != 1001 {
		t.Error("not told in time once the queue was empty")
	}
}
