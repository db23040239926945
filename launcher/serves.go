package launcher

import (
	"slices"
	"time"
)

// servesWait is the time between a bind and a look whether somebody listens.
const servesWait = 300 * time.Millisecond

// Bound looks after a while whether the port is served.
func (e events) Bound(port uint16) {
	c := e.c
	n := &c.Policy.Network
	if c.Serves == nil || port == 0 || n.AllowLocalBinding {
		return
	}
	for _, p := range n.Publish {
		if p.Inner == port {
			return
		}
	}
	time.AfterFunc(servesWait, func() {
		if c.ended.Err() == nil && slices.Contains(c.process.Listening(), port) {
			c.serves.Do(func() { c.Serves(port) })
		}
	})
}

// Refused lists the ports of the sandbox's localhost at which the command found
// nobody.
func (c *Cmd) Refused() []uint16 {
	if c.process == nil {
		return nil
	}
	return c.process.Refused()
}
