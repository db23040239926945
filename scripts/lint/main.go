// Command lint reports functions and files that have outgrown STYLE: a
// function is a screen at most, a file is one idea. It prints one line for
// each and fails when there is one.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The limits, in lines. A test function is a table as often as not, so tests
// may be longer.
const (
	maxFunc     = 60
	maxFile     = 300
	maxTestFunc = 120
	maxTestFile = 600
)

func main() {
	found := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		tooLong, err := check(path)
		for _, line := range tooLong {
			fmt.Println(line)
		}
		found += len(tooLong)
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(2)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// check returns one line for each thing in the file at path that is too long.
func check(path string) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	funcLimit, fileLimit := maxFunc, maxFile
	if strings.HasSuffix(path, "_test.go") {
		funcLimit, fileLimit = maxTestFunc, maxTestFile
	}

	var tooLong []string
	if lines := files.File(file.Pos()).LineCount(); lines > fileLimit && !ast.IsGenerated(file) {
		tooLong = append(tooLong, fmt.Sprintf("%s: %d lines, at most %d", path, lines, fileLimit))
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		start := files.Position(fn.Pos())
		if lines := files.Position(fn.End()).Line - start.Line + 1; lines > funcLimit {
			tooLong = append(tooLong, fmt.Sprintf("%s:%d: func %s has %d lines, at most %d",
				path, start.Line, fn.Name.Name, lines, funcLimit))
		}
	}
	return tooLong, nil
}
