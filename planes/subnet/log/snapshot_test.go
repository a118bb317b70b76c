package log_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// snapshot is what a site serves now.
func (s *site) snapshot() []byte {
	s.t.Helper()
	var out bytes.Buffer
	if err := s.log.ServeSnapshot(context.Background(), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.Bytes()
}

// newcomer is a site that nobody told anything but the genesis, and its light
// client of the chain.
func newcomer(t testing.TB, n int, to *site) (*site, *bft.Follower) {
	t.Helper()
	s := &site{dir: t.TempDir(), genesis: to.genesis}
	s.prepare(t, n, to.first, func(ctx context.Context, entries []*feed.Entry) {
		_, _ = to.feeds.AddAll(ctx, entries, identity.PublicKey{byte(n)}, time.Now())
	})
	chain, err := bft.NewFollower(bft.FollowerConfig{
		Genesis: to.genesis, Servers: func() []bft.Server { return []bft.Server{to.server()} }, Log: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, chain
}

// busy is an indexer with some history.
func busy(t testing.TB) *site {
	a := subnetOf(t, 1)[0]
	a.sayNow("writer 1")
	var e *feed.Entry
	for i := range 60 {
		e = a.sayNow(fmt.Sprint("put k", i, " ", i))
	}
	wait(t, "the history", func() bool { return a.confirmed(e) && a.log.Status().Height > 2 })
	a.settled()
	return a
}

// settled waits until the block behind the last entries is there.
func (s *site) settled() {
	s.t.Helper()
	wait(s.t, "the proof block", func() bool {
		now := s.node.Status()
		block, err := s.node.Block(now.Height)
		return err == nil && len(block.Txs) == 0 && s.log.Status().Height == now.Height
	})
}

func TestNewcomerGoesOnFromASnapshot(t *testing.T) {
	a := busy(t)
	b, chain := newcomer(t, 1, a)
	if err := b.log.Restore(t.Context(), bytes.NewReader(a.snapshot()), chain); err != nil {
		t.Fatal(err)
	}
	now := b.log.Status()
	if now.Confirmed != a.log.Status().Confirmed || now.Root != a.root() || now.Waiting != 0 || b.value("k7") != "7" {
		t.Fatalf("%+v, and %+v", now, a.log.Status())
	}
	if err := b.log.Restore(t.Context(), bytes.NewReader(a.snapshot()), chain); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second time: %v", err)
	}
	b.run(func(ctx context.Context) error {
		return b.log.Follow(ctx, b.genesis, func() []bft.Server { return []bft.Server{a.server()} })
	})
	mine := b.sayNow("put mine 1") // built on entries of which it knows no more than their facts
	wait(t, "the newcomer's entry", func() bool { return a.confirmed(mine) && b.confirmed(mine) })
	theirs := a.sayNow("put k7 8")
	wait(t, "what comes after", func() bool { return b.confirmed(theirs) && b.root() == a.root() })
	if n, _ := b.feeds.Count(subnet); n > 8 {
		t.Errorf("the newcomer holds %d entries", n)
	}
	c, chain := newcomer(t, 2, a) // the newcomer serves newcomers
	if err := c.log.Restore(t.Context(), bytes.NewReader(b.snapshot()), chain); err != nil || c.value("mine") != "1" {
		t.Errorf("%v, %+v", err, c.log.Status())
	}
}

func TestSnapshotSurvivesARestart(t *testing.T) {
	a := busy(t)
	b, chain := newcomer(t, 1, a)
	if err := b.log.Restore(t.Context(), bytes.NewReader(a.snapshot()), chain); err != nil {
		t.Fatal(err)
	}
	root := b.root()
	b.openOn()
	if b.root() != root || b.log.Status().Waiting != 0 {
		t.Fatalf("%+v", b.log.Status())
	}
	e := a.sayNow("put x 1")
	b.run(func(ctx context.Context) error {
		return b.log.Follow(ctx, b.genesis, func() []bft.Server { return []bft.Server{a.server()} })
	})
	wait(t, "the next block", func() bool { return b.confirmed(e) })
}

// frames takes a snapshot apart.
func frames(t *testing.T, raw []byte) (out [][]byte) {
	for len(raw) > 0 {
		n := 5 + int(binary.BigEndian.Uint32(raw[1:]))
		out, raw = append(out, raw[:n]), raw[n:]
	}
	return out
}

func TestWrongSnapshotChangesNothing(t *testing.T) {
	a := busy(t)
	good := a.snapshot()
	all := frames(t, good)
	changed := func(frame int, at int) []byte {
		out := bytes.Clone(good)
		from := 0
		for _, f := range all[:frame] {
			from += len(f)
		}
		out[from+5+at] ^= 1
		return out
	}
	b, chain := newcomer(t, 1, a)
	before := b.log.Status()
	last := len(all) - 2
	cases := map[string][]byte{
		"another height":       changed(0, 6),
		"another root":         changed(0, 20),
		"a changed value":      changed(1, len(all[1])-6),
		"a changed roll":       changed(2, len(all[2])-7),
		"a changed entry":      changed(last, len(all[last])-80),
		"cut off":              good[:len(good)/2],
		"no end":               good[:len(good)-5],
		"nothing":              {},
		"a piece left out":     bytes.Join(append(append([][]byte{}, all[0]), all[2:]...), nil),
		"a roll left out":      bytes.Join(append(append([][]byte{}, all[:2]...), all[3:]...), nil),
		"a frame without end":  append(bytes.Clone(good[:len(good)-5]), 5, 255, 255, 255, 255),
		"state behind rolls":   bytes.Join([][]byte{all[0], all[1], all[2], all[1]}, nil),
		"a frame of no kind":   append(bytes.Clone(all[0]), 9, 0, 0, 0, 0),
		"an entry of a forger": bytes.Join([][]byte{bytes.Join(all[:last], nil), frame(4, on(3, "put x 1", a.first).Encode()), frame(5, nil)}, nil),
	}
	for name, raw := range cases {
		if err := b.log.Restore(t.Context(), bytes.NewReader(raw), chain); err == nil {
			t.Errorf("%s: restored", name)
		}
		if b.log.Status() != before {
			t.Errorf("%s: %+v", name, b.log.Status())
		}
	}
	if err := b.log.Restore(t.Context(), bytes.NewReader(good), chain); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func frame(kind byte, payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload))), payload...)
}

func FuzzSnapshotFrames(f *testing.F) {
	f.Add(frame(1, make([]byte, 40)))
	f.Add(append(frame(2, []byte{0, 0, 0, 1, 'k', 0, 0, 0, 1, 'v'}), frame(5, nil)...))
	f.Add(append(frame(3, []byte{1, 1}), frame(4, nil)...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := newPeer(t, 0, firstEntry("0"))
		before := p.log.Status()
		if err := p.log.ReadFrames(raw); err == nil {
			t.Errorf("%x is a snapshot", raw)
		}
		if p.log.Status() != before {
			t.Error("the log has changed")
		}
	})
}
