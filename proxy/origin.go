package proxy

// origin has the connections to the servers that a client's requests are for.
type origin struct {
	*client
	server *serverConn // of the last request, kept for the next; may be nil
}

func (o *origin) drop() {
	if o.server != nil {
		o.server.conn.Close()
		o.server = nil
	}
}

// take returns the connection of the request before, when it leads to
// the same target and the server has not closed it.
func (o *origin) take(to target) *serverConn {
	sc := o.server
	if sc == nil {
		return nil
	}
	if sc.target != to || sc.used && sc.stale() {
		o.drop()
		return nil
	}
	o.server = nil
	return sc
}

// redials reports that another connection may be made to the server. Where the
// proxy did not terminate TLS, a tunnel is as good as the one that it has.
func (o *origin) redials() bool { return o.inside == nil || o.inside.term != nil }

// dial opens a connection for a request.
func (o *origin) dial(g grant) (*serverConn, error) {
	defer o.c.Reach()()
	if term := o.terminated(); term != nil {
		conn, err := term.redial()
		if err != nil {
			return nil, err
		}
		(*o.inside.upstream).Close()
		*o.inside.upstream = conn
		return newServerConn(conn, g.target), nil
	}
	conn, proxy, err := o.c.dials.dialHTTP(o.c.ctx, g)
	if err != nil {
		o.c.warnOfProxy(g.target, err)
		return nil, err
	}
	sc := newServerConn(conn, g.target)
	sc.proxy = proxy
	return sc, nil
}
