package log_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// exchange runs one exchange between two peers.
func exchange(t *testing.T, a, b *peer) {
	t.Helper()
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- b.log.ServeExchange(context.Background(), far, identity.PublicKey{1}) }()
	err := a.log.Exchange(context.Background(), near, identity.PublicKey{2})
	if other := <-served; err != nil || other != nil {
		t.Fatalf("%v, and %v", err, other)
	}
}

func TestExchangeGivesBothTheUnionOfTheirTails(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a, b := newPeer(t, 0, first), newPeer(t, 1, first)
	a.say("writer 1")
	c.confirm(a)
	c.bring(b)
	for range 5 {
		a.say("put x a")
		b.say("put y b")
	}
	exchange(t, a, b)
	if a.log.Status().Waiting != 10 || b.log.Status().Waiting != 10 || a.local("y") != "b" || b.local("x") != "a" {
		t.Errorf("%+v, %+v", a.log.Status(), b.log.Status())
	}
	exchange(t, a, b)
	c.confirm(a)
	b.say("put z b")
	exchange(t, b, a) // one of them has confirmed what waits at the other
	if a.log.Status().Waiting != 1 || a.local("z") != "b" {
		t.Errorf("%+v", a.log.Status())
	}
}

func TestTakePassesOverWhatHasNoPlaceYet(t *testing.T) {
	first := firstEntry("0")
	a := newPeer(t, 0, first)
	good := on(0, "put x 1", first)
	if err := a.log.Take(t.Context(), []*feed.Entry{on(5, "put x 2", first), good}, identity.PublicKey{1}); err != nil {
		t.Fatal(err)
	}
	if a.log.Status().Waiting != 1 || a.local("x") != "1" {
		t.Errorf("%+v", a.log.Status())
	}
	forged := on(0, "put x 3", good)
	forged.Sig[0] ^= 1
	if err := a.log.Take(t.Context(), []*feed.Entry{forged}, identity.PublicKey{1}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a forged entry: %v", err)
	}
}

// spoken is a stream on which everything was said already.
type spoken struct {
	io.Reader
	io.Writer
}

func FuzzExchange(f *testing.F) {
	e := firstEntry("0")
	f.Add(append(frame(6, make([]byte, 64)), frame(5, nil)...))
	f.Add(append(append(frame(6, nil), frame(4, e.Encode())...), frame(5, nil)...))
	f.Add(append(frame(4, on(0, "put x 1", e).Encode()), frame(7, make([]byte, 32))...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := newPeer(t, 0, e)
		root := p.root()
		_ = p.log.ServeExchange(t.Context(), spoken{bytes.NewReader(raw), io.Discard}, identity.PublicKey{1})
		_ = p.log.Exchange(t.Context(), spoken{bytes.NewReader(raw), io.Discard}, identity.PublicKey{1})
		if p.root() != root {
			t.Error("what is confirmed has changed")
		}
	})
}
