// Package relay copies between two connections, and looks at sockets without
// taking anything from them.
//
// [Copy] is one direction of a tunnel. Between two TCP connections it holds
// nothing while it waits: a buffer is taken when the source has something, and
// given back when that is written, so that ten thousand idle tunnels cost no
// buffers. A source that fills buffers to the brim is moved through a pipe
// inside the kernel instead (splice(2), Linux). Anything else (TLS, pipes of a
// test) is copied through one buffer.
//
// Buffers and pipes are budgets of the whole process: beyond the first, copies
// go through small buffers; beyond the second, through buffers at all.
//
// The functions of ready.go wait for a socket, or tell what it holds, by
// MSG_PEEK and poll(2).
//
// # Limitations
//
// Copy ends with its source and closes nothing: half-closing and resets are the
// caller's. What cannot be peeked at (a connection that is no TCP socket) is
// taken to be ready by those that wait and to hold nothing by those that tell.
package relay
