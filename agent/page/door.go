package page

import (
	"net"
	"sync"
)

// door is a listener with room for so many connections; more wait outside.
type door struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newDoor(l net.Listener, places int) *door {
	return &door{Listener: l, places: make(chan struct{}, places), closed: make(chan struct{})}
}

// Accept waits for a place, then for a visitor.
func (d *door) Accept() (net.Conn, error) {
	select {
	case d.places <- struct{}{}:
	case <-d.closed:
		return nil, net.ErrClosed
	}
	conn, err := d.Listener.Accept()
	if err != nil {
		<-d.places
		return nil, err
	}
	return &visit{Conn: conn, leave: sync.OnceFunc(func() { <-d.places })}, nil
}

// Close ends the waiting, too.
func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Listener.Close()
}

// visit is a connection that gives its place free.
type visit struct {
	net.Conn
	leave func()
}

func (v *visit) Close() error {
	v.leave()
	return v.Conn.Close()
}
