package agent

import (
	"container/list"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// gate is a listener that bounds connections from the moment they are accepted.
// Strangers stand in a queue whose oldest leaves when it is full, so that they
// never keep a client with the token out.
type gate struct {
	net.Listener
	limits Limits

	mu        sync.Mutex
	strangers list.List // of *visitor, oldest first
	clients   int
}

// visitor is one connection.
type visitor struct {
	net.Conn
	gate  *gate
	since time.Time

	place  *list.Element // in the queue of strangers; nil when it is not there
	client bool

	ending atomic.Bool  // whether only a close frame is waited for
	left   atomic.Int64 // how many bytes it may still send then
}

// Accept waits for the next connection.
func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v := &visitor{Conn: conn, gate: g, since: time.Now()}
	if oldest := g.enqueue(v); oldest != nil {
		oldest.Close()
	}
	return v, nil
}

// enqueue adds a stranger and gives the one that has to go for it.
func (g *gate) enqueue(v *visitor) *visitor {
	g.mu.Lock()
	defer g.mu.Unlock()
	v.place = g.strangers.PushBack(v)
	if g.strangers.Len() <= g.limits.Strangers {
		return nil
	}
	return g.strangers.Front().Value.(*visitor)
}

// admit makes a stranger a client, unless there are too many.
func (g *gate) admit(v *visitor) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.clients >= g.limits.Clients || v.place == nil {
		return false
	}
	g.strangers.Remove(v.place)
	v.place = nil
	v.client = true
	g.clients++
	return true
}

// Close ends the connection and gives its place back.
func (v *visitor) Close() error {
	v.gate.mu.Lock()
	if v.place != nil {
		v.gate.strangers.Remove(v.place)
		v.place = nil
	}
	if v.client {
		v.client = false
		v.gate.clients--
	}
	v.gate.mu.Unlock()
	return v.Conn.Close()
}

// lastBytes lets the other end send so much more and nothing beyond: enough to
// answer a close frame, not to go on with a frame that was refused.
func (v *visitor) lastBytes(n int64) {
	v.left.Store(n)
	v.ending.Store(true)
}

// Read reads what the other end may send.
func (v *visitor) Read(p []byte) (int, error) {
	n, err := v.Conn.Read(p)
	if v.ending.Load() && v.left.Add(-int64(n)) < 0 {
		return 0, net.ErrClosed
	}
	return n, err
}

// Write gives the other end a deadline for each 64 KiB, so that whoever reads
// slowly is served and whoever does not read is cut off.
func (v *visitor) Write(p []byte) (n int, err error) {
	const chunk = 64 << 10
	for len(p) > 0 && err == nil {
		part := p[:min(len(p), chunk)]
		if err = v.SetWriteDeadline(time.Now().Add(v.gate.limits.WriteTime)); err != nil {
			return n, err
		}
		var wrote int
		wrote, err = v.Conn.Write(part)
		n += wrote
		p = p[wrote:]
	}
	return n, err
}
