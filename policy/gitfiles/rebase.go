package gitfiles

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
)

// ExecLines are the programs that lines of a rebase's list run, and how often.
type ExecLines map[string]int

// ExecLinesOf returns those of a list.
func ExecLinesOf(list string) ExecLines {
	had := ExecLines{}
	for line := range strings.Lines(list) {
		if program, ok := execLine(line); ok {
			had[program]++
		}
	}
	return had
}

// execLine returns what git runs for a line of a rebase's list. It takes more
// for such a line than git does (parse_insn_line in git's sequencer.c).
func execLine(line string) (program string, ok bool) {
	blank := func(r rune) bool { return unicode.IsSpace(r) || r == 0 }
	line = strings.TrimFunc(line, blank)
	end := strings.IndexFunc(line, blank)
	if end < 0 {
		end = len(line)
	}
	return strings.TrimFunc(line[end:], blank), line[:end] == "exec" || line[:end] == "x"
}

// CommentOut returns a list whose lines that run something and that it did not
// have are comments.
func CommentOut(list string, had ExecLines) string {
	var b strings.Builder
	had = maps.Clone(had)
	if had == nil {
		had = ExecLines{}
	}
	for line := range strings.Lines(list) {
		if program, ok := execLine(line); ok {
			if had[program]--; had[program] < 0 {
				b.WriteString("# srun: ")
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// isStrategy tells a merge strategy that git looks for among its own programs and
// in PATH. One with a slash it would start from the worktree (git merge-DIR/PROGRAM).
func isStrategy(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

// SafeStrategy returns the content of a rebase's strategy file, or git's default
// strategy for one that would run a program of the worktree's.
func SafeStrategy(content string) string {
	if isStrategy(strings.TrimSuffix(content, "\n")) {
		return content
	}
	return "ort\n"
}

// strategyOption are the options of git's own merge strategies (git-merge(1)):
// they name no file, and run nothing. rebase-merge/strategy_opts has them quoted,
// sequencer/opts without the dashes.
const strategyOption = `(?:ours|theirs|patience|histogram|minimal|diff-algorithm=[a-z]+|` +
	`ignore-space-change|ignore-all-space|ignore-space-at-eol|ignore-cr-at-eol|renormalize|no-renormalize|` +
	`no-renames|find-renames(?:=[0-9]+%?)?|rename-threshold=[0-9]+%?|subtree(?:=[A-Za-z0-9_][A-Za-z0-9_./-]*)?)`

// applyOption are the options that git am hands to git apply (git-am(1)).
const applyOption = `--(?:whitespace=[a-z-]+|ignore-space-change|ignore-whitespace|reject|` +
	`(?:directory|exclude|include)=[^'\\\s]*)|-C[0-9]+|-p[0-9]+`

var (
	sequencerOption = expression(`^` + strategyOption + `$`)
	strategyOptions = expression(`^(?:\s*(?:--` + strategyOption + `|'--` + strategyOption + `'))*\s*$`)
	applyOptions    = expression(`^(?:\s*(?:` + applyOption + `|'(?:` + applyOption + `)'))*\s*$`)
)

// SafeStrategyOptions returns the content of a rebase's strategy_opts file, or none
// for one that has other options than git's own strategies: a strategy that is a
// program gets them all.
func SafeStrategyOptions(content string) string {
	if strategyOptions().MatchString(content) {
		return content
	}
	return ""
}

// SafeApplyOptions returns the content of git am's apply-opt file, or none for one
// with options that have git apply write elsewhere.
func SafeApplyOptions(content string) string {
	if applyOptions().MatchString(content) {
		return content
	}
	return ""
}

// JudgeSequencer returns why the options of a cherry-pick or revert under way
// may not be (sequencer/opts in a git directory), "" where they may.
func JudgeSequencer(data []byte) (why string) {
	entries, bad := plainEntries(data)
	if bad > 0 {
		return fmt.Sprintf("line %d cannot be read plainly", bad)
	}
	for _, e := range entries {
		switch {
		case e.Key == "strategy" && !isStrategy(e.Value):
			return "git runs the program that it names"
		case e.Key == "strategy-option" && !sequencerOption().MatchString(e.Value):
			return "a merge strategy gets the option " + e.Value
		case e.Key == "gpg-sign" && strings.HasPrefix(e.Value, "-"):
			return "gpg gets the option " + e.Value
		}
	}
	return ""
}
