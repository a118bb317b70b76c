package log

import (
	"bufio"
	"cmp"
	"context"
	"slices"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/merkle"
	"intercom/core/store"
)

// maxSnapshot bounds what one snapshot may put on this peer's disk before it is
// known to be right, maxNewest the entries that come with it.
const (
	maxSnapshot = 16 << 30
	maxNewest   = 64 << 10
)

// restoring is the reading of one snapshot into a place of its own.
type restoring struct {
	l   *Log
	to  *place
	ctx context.Context
	announced

	version uint64
	taken   int64
	got     merkle.Hash // root of what was read so far
	order   head        // of the rolls read so far
	batch   *store.Batch
	queued  int
	newest  []*feed.Entry
}

// run reads all frames, verifies them, and writes down where the replica goes on.
func (s *restoring) run(r *bufio.Reader, chain *bft.Follower) error {
	if err := firstOf(empty(s.to.space), empty(s.l.store.Space(s.l.prefix+"/state/"+s.to.name))); err != nil {
		return err
	}
	s.batch = s.to.space.Batch()
	for done := false; !done; {
		kind, payload, err := readFrame(r)
		if err == nil {
			err = s.ctx.Err()
		}
		if err == nil {
			done, err = s.frame(kind, payload)
		}
		if err != nil {
			return err
		}
	}
	if err := s.batch.Apply(); err != nil {
		return err
	}
	h, next, err := s.verify()
	if err != nil {
		return err
	}
	b := s.to.space.Batch()
	b.Set([]byte{keyHead}, h.encode())
	if err := b.Commit(); err != nil {
		return err
	}
	if err := chain.Resume(s.ctx, s.height, h.root, next, s.l.replicaSpace()); err != nil {
		return err
	}
	s.l.vouched.Store(&vouching{s.to, s.ids()})
	slices.SortFunc(s.newest, func(a, b *feed.Entry) int { return cmp.Compare(a.Height, b.Height) })
	return s.l.add(s.newest, latest(s.newest))
}

func (s *restoring) frame(kind byte, payload []byte) (done bool, err error) {
	if s.taken += int64(len(payload)); s.taken > maxSnapshot {
		return false, malformed("a snapshot of more than %d bytes", int64(maxSnapshot))
	}
	switch {
	case kind == frameState && s.order.count == 0:
		return false, s.state(payload)
	case kind == frameRoll && s.newest == nil:
		return false, s.roll(payload)
	case kind == frameEntry && len(s.newest) < maxNewest:
		e, err := feed.Decode(payload)
		s.newest = append(s.newest, e)
		return false, err
	case kind == frameEnd && len(payload) == 0:
		return true, nil
	}
	return false, malformed("a frame of kind %d out of place", kind)
}

// state takes a piece of the state, as a version of the map. The root tells of
// the content alone, so the order and the size of the pieces do not matter.
func (s *restoring) state(piece []byte) error {
	u, err := s.to.state.Update()
	if err != nil {
		return err
	}
	err = merkle.ReadList(piece, func(key, value []byte) error {
		u.Set(key, value)
		return nil
	})
	if err != nil {
		return err
	}
	b := s.to.space.Batch()
	s.version++
	if s.got, err = u.Write(b, s.version); err != nil {
		return err
	}
	return b.Apply()
}

// roll takes what is known of the entries of one block.
func (s *restoring) roll(raw []byte) error {
	s.batch.Set(orderKey(s.order.count), raw)
	err := readRoll(raw, func(e listed) bool {
		s.order.append(e.id, e.facts)
		s.batch.Set(confirmedKey(e.id), e.facts.encode())
		s.queued++
		return true
	})
	if err != nil || s.queued < 8192 {
		return err
	}
	err = s.batch.Apply()
	s.batch, s.queued = s.to.space.Batch(), 0
	return err
}

// verify holds what was read against the signed root, and gives the head of it
// with the validators that the state wants.
func (s *restoring) verify() (h head, next []bft.Validator, err error) {
	if s.got != s.root {
		return head{}, nil, malformed("a state that is not the one it announced")
	}
	state, err := s.to.state.Last()
	if err != nil {
		return head{}, nil, err
	}
	leaf, _, err := state.Get(leafKey)
	if err != nil {
		return head{}, nil, err
	}
	if h, err = decodeLeaf(leaf); err != nil {
		return head{}, nil, err
	}
	if h.count != s.order.count || h.order != s.order.order {
		return head{}, nil, malformed("an order of %d entries that is not the state's", s.order.count)
	}
	for _, e := range s.newest {
		if _, ok, err := s.to.facts(e.ID()); err != nil || !ok {
			return head{}, nil, firstOf(err, malformed("entry %s, which is not confirmed", e.ID()))
		}
	}
	h.height, h.root, h.version, h.base = s.height, bft.Hash(s.root), s.version, s.version
	next, err = s.l.machine.Indexers(state)
	return h, next, err
}

func (s *restoring) ids() map[feed.ID]bool {
	ids := make(map[feed.ID]bool, len(s.newest))
	for _, e := range s.newest {
		ids[e.ID()] = true
	}
	return ids
}

// latest is the time at which none of the entries is dated ahead.
func latest(entries []*feed.Entry) time.Time {
	var ts int64
	for _, e := range entries {
		ts = max(ts, e.TS)
	}
	return time.UnixMilli(ts)
}
