package gitfiles

import (
	"strings"
	"testing"
)

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
			got := CommentOut(c.after, ExecLinesOf(c.before))
			if got != c.want {
				t.Errorf("%q; want %q", got, c.want)
			}
		})
	}
}

func FuzzCommentOut(f *testing.F) {
	f.Add("x a\n", "pick b\nexec a\n x c")
	f.Add("", "exec\nx\x00a\n\n# x\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		had := ExecLinesOf(before)
		got := CommentOut(after, had)
		for program, n := range ExecLinesOf(got) {
			if n > had[program] {
				t.Errorf("%q runs %q %d times, and %d before", got, program, n, had[program])
			}
		}
		if again := CommentOut(got, had); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}

func TestSafeStrategy(t *testing.T) {
	for content, want := range map[string]string{
		"": "", "ort": "ort", "recursive\n": "recursive\n", "my-own_1\n": "my-own_1\n",
		"x/evil\n": "ort\n", "../evil": "ort\n", "a\nb\n": "ort\n", "\x00": "ort\n",
	} {
		if got := SafeStrategy(content); got != want {
			t.Errorf("SafeStrategy(%q) = %q, want %q", content, got, want)
		}
	}
}

func TestJudgeSequencer(t *testing.T) {
	if why := JudgeSequencer([]byte("[options]\n\tno-commit = true\n\tstrategy = ort\n")); why != "" {
		t.Error(why)
	}
	if JudgeSequencer([]byte("[options]\n\tstrategy = x/evil\n")) == "" {
		t.Error("a strategy with a slash was let through")
	}
}

func TestSafeOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		safe func(string) string
		ok   []string
		not  []string
	}{
		{
			"strategy", SafeStrategyOptions,
			[]string{"", "\n", " --theirs", " '--theirs' '--patience'\n", " --find-renames=50%\n", "--diff-algorithm=histogram --subtree=a/b"},
			[]string{" '--index-output=/home/u/x'", "--theirs --x", "theirs", "--subtree=../x", "'--theirs", "--theirs--index-output=x", "--no-renames;"},
		},
		{
			"apply", SafeApplyOptions,
			[]string{"", "\n", " '--whitespace=fix' '-C1' '-p2'\n", "--directory=a/b --exclude=*.c", " '--reject' '--ignore-whitespace'"},
			[]string{" '--build-fake-ancestor=x'", "--unsafe-paths", "-C1 -", "-p", "'--exclude=a' b'", "--directory=a\\'b"},
		},
	} {
		for _, options := range c.ok {
			if got := c.safe(options); got != options {
				t.Errorf("%s: of %q is left %q", c.name, options, got)
			}
		}
		for _, options := range c.not {
			if got := c.safe(options); got != "" {
				t.Errorf("%s: of %q is left %q", c.name, options, got)
			}
		}
	}
	for options, ok := range map[string]bool{
		"[options]\n\tstrategy = ort\n\tstrategy-option = theirs\n\tstrategy-option = find-renames=50%\n\tmainline = 1\n": true,
		"[options]\n\tstrategy-option = index-output=/x\n":                                                                false,
		"[options]\n\tgpg-sign = --output=x\n":                                                                            false,
		"[options] strategy = x\n":                                                                                        false,
	} {
		if why := JudgeSequencer([]byte(options)); (why == "") != ok {
			t.Errorf("%q: %q", options, why)
		}
	}
}

func TestRererePaths(t *testing.T) {
	number := strings.Repeat("0a", 20)
	for data, ok := range map[string]bool{
		"":                     true,
		number + "\ta b/c\x00": true,
		number + ".12\ta\x00" + number + "\tb\x00": true,
		number + ".-1\ta\x00":                      false,
		number + "\t/a\x00":                        false,
		number + "\ta/../b\x00":                    false,
		number + "\t.git/x\x00":                    false,
		number + "\ta":                             false,
		number + " a\x00":                          false,
		"../x\ta\x00":                              false,
		"\x00":                                     false,
	} {
		if paths, why := RererePaths([]byte(data)); (why == "") != ok || ok && strings.Count(data, "\x00") != len(paths) {
			t.Errorf("%q: %q, %q", data, paths, why)
		}
	}
}
