package launcher

import (
	"context"
	"errors"
	"fmt"
	"net"

	"srun/policy"
	"srun/proxy"
)

// published is the host's end of the published ports.
type published []publishedPort

type publishedPort struct {
	net.Listener
	proxy.Published
}

// ErrPublishOnHost is in the error of a Start whose policy publishes ports of a
// command that has the host's network.
var ErrPublishOnHost = errors.New("the command's ports are the host's already")

// publish listens on the host for what the policy publishes. Connections wait
// until serve.
// own tells the ports that the command cannot have inside.
func (c *Cmd) publish(own func(port uint16) bool) (published, error) {
	var all published
	if n := &c.Policy.Network; len(n.Publish) > 0 && n.Mode == policy.ModeHost {
		return nil, ErrPublishOnHost
	}
	for _, rule := range c.Policy.Network.Publish {
		err := errOwnPort(rule.Inner, own)
		var l net.Listener
		if err == nil {
			l, err = listenHost(rule.Addr.String())
		}
		if err != nil {
			all.close()
			return nil, &policy.Error{File: rule.Source.File, Line: rule.Source.Line, Flag: rule.Source.Flag, Msg: err.Error(), Err: err}
		}
		name := policy.Grant{Kind: policy.GrantPublish, Value: fmt.Sprintf("%s:%d", rule.Addr, rule.Inner)}
		all = append(all, publishedPort{l, proxy.Published{Port: rule.Inner, Rule: c.Words.grant(name), Source: rule.Source}})
	}
	return all, nil
}

// errOwnPort refuses to let the host in where the command's own traffic goes.
func errOwnPort(port uint16, own func(uint16) bool) error {
	if own(port) {
		return fmt.Errorf("port %d is srun's own inside the sandbox", port)
	}
	return nil
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

// servePublished joins what connects to ports of the sandbox.
func (c *Cmd) servePublished(all published, dial func(port uint16) (net.Conn, error)) {
	for _, port := range all {
		go c.serveOnePublished(port, dial)
	}
}

func (c *Cmd) serveOnePublished(port publishedPort, dial func(port uint16) (net.Conn, error)) {
	port.Dial = dial
	if err := c.server.ServePublished(port.Listener, port.Published); err != nil && c.ended.Err() == nil {
		c.warn("port %d is published no more: %v", port.Port, err)
	}
}
