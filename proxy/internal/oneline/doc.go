// Package oneline makes text that a stranger chose fit for one line of a log or
// a terminal: no byte of it breaks the line, moves the cursor or passes for
// something else.
package oneline
