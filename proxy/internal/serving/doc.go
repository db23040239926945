// Package serving keeps account of what a server serves: it accepts on listeners,
// counts the connections and bounds them, closes all at the end, and can wait until
// what clients wrote has gone out. What is said on a connection is none of its
// business.
package serving
