package main

import "testing"

func TestWithoutEscapes(t *testing.T) {
	for line, want := range map[string]string{
		"1": "1", "\x1b[?62;22c1": "1", "\x1b[A\x1b[12;40R2": "2", "\x1bOP3": "3", "\x1b]11;rgb:1/1/1\a3": "3",
		"\x1b]11;1\x1b\\3": "3", "\x1bP1$r0m\x1b\\no": "no", "\x1b": "", "\x1b[": "", "\x1bO": "", "\x1b]1": "", "1\x1b[<0;1;1M": "1",
	} {
		if got := withoutEscapes(line); got != want {
			t.Errorf("%q: %q; want %q", line, got, want)
		}
	}
}
