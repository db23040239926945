package gitfiles

import "path/filepath"

// hookNames are those of githooks(5).
var hookNames = []string{
	"applypatch-msg", "commit-msg", "fsmonitor-watchman", "p4-changelist", "p4-post-changelist", "p4-pre-submit",
	"p4-prepare-changelist", "post-applypatch", "post-checkout", "post-commit", "post-index-change", "post-merge",
	"post-receive", "post-rewrite", "post-update", "pre-applypatch", "pre-auto-gc", "pre-commit", "pre-merge-commit",
	"pre-push", "pre-rebase", "pre-receive", "prepare-commit-msg", "proc-receive", "push-to-checkout",
	"reference-transaction", "sendemail-validate", "update",
}

// hooks adds a directory of hooks. Of one that the root lies in, a hook's own
// name alone: all else there is the user's work.
func (f *finder) hooks(dir, reason string) {
	for at := f.root; at != ""; at = filepath.Dir(at) {
		if at == dir || f.files.Kind(dir) == Dir && f.files.Same(at, dir) {
			for _, name := range hookNames {
				f.add(filepath.Join(dir, name), reason, true)
			}
			return
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	f.add(dir, reason, true)
}
