package main

import (
	"testing"

	"srun/launcher"
)

// A reply of the terminal's answers nothing, be it cut or whole.
func TestAnswerIn(t *testing.T) {
	for line, want := range map[string]struct {
		answer launcher.Answer
		ok     bool
	}{
		"1": {launcher.AllowOnce, true}, " Y ": {launcher.AllowOnce, true}, "2": {launcher.AllowAlways, true}, "no": {launcher.Deny, true},
		"": {}, "12": {}, "2\x1b\\": {}, "\x1bP0+r32\x1b\\2": {}, "\x1b[12;1R1": {}, "\x1b[12;1R3": {launcher.Deny, true},
	} {
		if a, ok := answerIn(line); a != want.answer || ok != want.ok {
			t.Errorf("%q: %+v, %v", line, a, ok)
		}
	}
}

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
