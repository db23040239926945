package proxy

import (
	"errors"
	"os"
	"time"
)

// A client that disconnects while its server is silent would not be noticed: the
// proxy waits for the server. In a tunnel the kernel tells the server so; where
// TLS is terminated the proxy has to, or what the client gave up would go on.

// watchDisconnect looks for the client's end from when its request is whole. It
// counts the end of what the client sends as its end, as servers do.
func (x *exchange) watchDisconnect() {
	if x.terminated() == nil {
		return
	}
	watched := make(chan struct{})
	x.watched = watched
	sc, body, br := x.sc, x.body, x.br
	go func() {
		defer close(watched)
		if body != nil {
			<-body.done
		}
		if _, err := br.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			reset(sc.conn)
		}
	}()
}

// unwatchDisconnect ends the look, so that the next request can be read.
func (x *exchange) unwatchDisconnect() {
	if x.watched == nil {
		return
	}
	x.c.conn.SetReadDeadline(time.Unix(1, 0))
	<-x.watched
	x.watched = nil
	x.c.conn.SetReadDeadline(time.Time{})
}
