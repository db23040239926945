//go:build linux

package linux

import "testing"

func BenchmarkFilter(b *testing.B) {
	for b.Loop() {
		if _, err := filter(true); err != nil {
			b.Fatal(err)
		}
	}
}
