package pathtree

import (
	"cmp"
	"strings"
)

// Less compares paths, as cmp.Compare does, so that everything below a directory
// follows it directly: the slash sorts before all other bytes.
func Less(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Contains reports whether a path is dir or lies below it.
func Contains(dir, path string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir) && path[len(dir)] == '/'
}

// Join is a name in a directory.
func Join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// down calls f with each path from the root down to path, until it returns false.
func down(path string, f func(prefix string) bool) {
	if !f("/") {
		return
	}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' && !f(path[:i]) {
			return
		}
	}
	if len(path) > 1 {
		f(path)
	}
}
