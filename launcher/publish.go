package launcher

import (
	"context"
	"fmt"
	"io"
	"net"

	"srun/policy"
)

// mostPublished bounds the connections to one published port at once. One more
// waits.
const mostPublished = 512

// published is the host's end of the published ports.
type published []publishedPort

type publishedPort struct {
	net.Listener
	inner uint16
}

// publish listens on the host for every --publish. Connections wait until serve.
func (c *Cmd) publish() (published, error) {
	var all published
	if len(c.Policy.Network.Publish) > 0 && c.Policy.Network.Mode == policy.ModeHost {
		return nil, fmt.Errorf("--publish: with --network host the command's ports are the host's already")
	}
	for _, rule := range c.Policy.Network.Publish {
		l, err := listenHost(rule.Addr.String())
		if err != nil {
			all.close()
			return nil, fmt.Errorf("--publish: %w", err)
		}
		all = append(all, publishedPort{l, rule.Inner})
	}
	return all, nil
}

func listenHost(addr string) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	return config.Listen(context.Background(), "tcp", addr)
}

func (all published) close() {
	for _, port := range all {
		port.Close()
	}
}

// serve joins what connects to ports of the sandbox.
func (all published) serve(dial func(port uint16) (net.Conn, error)) {
	for _, port := range all {
		go port.serve(dial)
	}
}

func (p publishedPort) serve(dial func(port uint16) (net.Conn, error)) {
	places := make(chan struct{}, mostPublished)
	for {
		places <- struct{}{}
		outside, err := p.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { <-places }()
			defer outside.Close()
			inside, err := dial(p.inner)
			if err != nil {
				outside.(*net.TCPConn).SetLinger(0) // as refused as it can still be
				return
			}
			defer inside.Close()
			join(outside.(*net.TCPConn), inside.(*net.TCPConn))
		}()
	}
}

// join copies both ways, each end of file in turn.
func join(a, b *net.TCPConn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyHalf(a, b)
	}()
	copyHalf(b, a)
	<-done
}

// copyHalf copies one way; a failure resets both sides.
func copyHalf(dst, src *net.TCPConn) {
	if _, err := io.Copy(dst, src); err != nil {
		dst.SetLinger(0)
		src.SetLinger(0)
		dst.Close()
		src.Close()
		return
	}
	dst.CloseWrite()
}
