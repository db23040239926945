package gitfiles

import "strings"

// rerereLine is one conflict of a MERGE_RR: its number, and which of several of
// that number it is (read_rr in git's rerere.c).
var rerereLine = expression(`^(?:[0-9a-f]{40}|[0-9a-f]{64})(?:\.[0-9]{1,9})?\t`)

// RererePaths returns the paths of a MERGE_RR, which git rerere reads and writes,
// or why it may not be one.
func RererePaths(data []byte) (paths []string, why string) {
	for record := range strings.SplitSeq(strings.TrimSuffix(string(data), "\x00"), "\x00") {
		if len(data) == 0 {
			break
		}
		number := rerereLine().FindString(record)
		path := record[len(number):]
		if number == "" || badPath([]byte(path), 0) {
			return nil, "git rerere writes to the paths that it has"
		}
		paths = append(paths, path)
	}
	if len(data) > 0 && data[len(data)-1] != 0 {
		return nil, "git rerere cannot read it"
	}
	return paths, ""
}
