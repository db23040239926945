package main

import (
	"slices"
	"testing"
	"time"
)

func TestSpool(t *testing.T) {
	var s spool
	var got []int
	for i := range 100 {
		if s.put(func() { got = append(got, i) }); len(got) != i+1 {
			t.Fatalf("%d written after %d", len(got), i+1)
		}
	}
	if lost, _ := s.wait(time.Minute); lost != 0 || !slices.IsSorted(got) {
		t.Errorf("lost %d, %v", lost, got)
	}
}

// Who writes to what nobody reads holds up one, and loses nothing.
func TestSpoolHeldUp(t *testing.T) {
	var s spool
	held := make(chan struct{})
	written := 0
	begin := time.Now()
	for range 1000 {
		s.put(func() { <-held; written++ })
	}
	if took := time.Since(begin); took > 100*writtenIn {
		t.Errorf("1000 waited %v", took)
	}
	if lost, stuck := s.wait(time.Millisecond); lost == 0 || !stuck {
		t.Errorf("lost %d, stuck: %v", lost, stuck)
	}
	close(held)
	if lost, _ := s.wait(time.Minute); lost != 0 || written != 1000 {
		t.Errorf("%d written, %d lost", written, lost)
	}
	if s.put(func() { written++ }); written != 1001 {
		t.Error("not written in time once nothing was pending")
	}
}
