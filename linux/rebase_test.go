//go:build linux

package linux

import (
	"strings"
	"testing"
)

func programs(list string) map[string]int {
	had := map[string]int{}
	for line := range strings.Lines(list) {
		if program, ok := execLine(line); ok {
			had[program]++
		}
	}
	return had
}

func TestCommentOut(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"nothing", "pick a\n", "pick a\n", "pick a\n"},
		{"one more", "pick a\n", "exec evil\npick a\nx evil", "# srun: exec evil\npick a\n# srun: x evil"},
		{"those that were there", "x make test\npick a\nexec  make test\n", "exec make test\npick b\nx\tmake test \n", "exec make test\npick b\nx\tmake test \n"},
		{"more of them", "x make test\n", "x make test\nx make test\n", "x make test\n# srun: x make test\n"},
		{"with space before it", "", " \t\vexec a\r\n\x00x b\n", "# srun:  \t\vexec a\r\n# srun: \x00x b\n"},
		{"what is no exec line", "", "execute a\nxa\n# exec a\nlabel x\nmerge -C a x\nX a\n", "execute a\nxa\n# exec a\nlabel x\nmerge -C a x\nX a\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, changed := commentOut(c.after, programs(c.before))
			if got != c.want || changed != (got != c.after) {
				t.Errorf("%q, %v; want %q", got, changed, c.want)
			}
		})
	}
}

func FuzzCommentOut(f *testing.F) {
	f.Add("x a\n", "pick b\nexec a\n x c")
	f.Add("", "exec\nx\x00a\n\n# x\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		had := programs(before)
		got, _ := commentOut(after, had)
		for program, n := range programs(got) {
			if n > had[program] {
				t.Errorf("%q runs %q %d times, and %d before", got, program, n, had[program])
			}
		}
		if again, changed := commentOut(got, had); changed {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}
