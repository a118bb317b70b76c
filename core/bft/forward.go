package bft

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// forward lets the engine connect once to a stream: it answers the address of a
// port that takes one connection and carries it. When either side ends, both
// do. Done closes the port: call it when the engine has dialled.
func (ps *peers) forward(stream io.ReadWriteCloser) (addr string, done func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ps.carried.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			_ = stream.Close()
			return
		}
		splice(conn, stream)
	})
	return l.Addr().String(), func() { _ = l.Close() }, nil
}

// Carry connects a stream that another node opened to this node, and returns
// when it has ended: the other end of [Peer.Dial]. Who it is, is proven inside.
func (n *Node) Carry(ctx context.Context, stream io.ReadWriteCloser) error {
	r, err := n.enter()
	if err != nil {
		return errors.Join(err, stream.Close())
	}
	addr := r.addr
	n.calls.Done()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(err, stream.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	splice(conn, stream)
	return nil
}

// splice copies both ways until either side ends, then closes both.
func splice(a, b io.ReadWriteCloser) {
	var wg sync.WaitGroup
	shut := func() { _, _ = a.Close(), b.Close() }
	wg.Go(func() { _, _ = io.Copy(a, b); shut() })
	wg.Go(func() { _, _ = io.Copy(b, a); shut() })
	wg.Wait()
}
