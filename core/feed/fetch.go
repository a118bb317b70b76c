package feed

import (
	"container/heap"
	"context"
	"io"
	"slices"

	"intercom/core/fault"
)

// Fetch asks the peer that runs [Feeds.Serve] at the other end of the stream
// for entries, at most [MaxWanted], and for what is behind them that this peer
// lacks, and stores them: the short way when an entry came live and its parents
// did not. One turn does it. When this peer is too far behind for that the
// answer is [fault.Limited], and [Feeds.Sync] helps.
func (f *Feeds) Fetch(ctx context.Context, rw io.ReadWriter, feed FeedID, ids []ID, s Session) (Result, error) {
	c, stop := dial(ctx, rw)
	defer stop()
	if len(ids) > MaxWanted {
		return Result{}, fault.New(fault.Limited, "%d entries wanted", len(ids)).WithHint("ask for at most %d", MaxWanted)
	}
	have, err := f.locate(feed)
	if err != nil {
		return Result{}, err
	}
	if err := s.allowed(feed); err != nil {
		return Result{}, err
	}
	result := Result{Turns: 1}
	reply, err := c.ask(want{feed, ids, have})
	if err != nil {
		return result, err
	}
	got, ok := reply.(entries)
	if !ok {
		return result, broke("a message of kind %d for entries", reply.kind())
	}
	if err := s.allowed(feed); err != nil {
		return result, err
	}
	for _, raw := range got.raw {
		c.entries += int64(len(raw))
	}
	all, err := decodeAll(feed, got.raw)
	if err != nil {
		return result, err
	}
	t, err := f.take(ctx, &s, all)
	result.Received, result.Waiting = t.stored, t.waiting
	result.Overhead = c.moved - c.entries
	if err == nil {
		err = c.send(bye{})
	}
	return result, err
}

// locate names entries that tell another peer what this one has: its greatest
// heads, and one at each of the heights 1, 2, 4, 8, … below the top, because
// the other may not know the heads.
func (f *Feeds) locate(feed FeedID) ([]ID, error) {
	n, err := f.counts(feed)
	if err != nil {
		return nil, err
	}
	heads, err := f.heads(feed, min(n.heads, MaxParents))
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	have := make([]ID, 0, maxHave)
	for _, head := range heads {
		have = append(have, head.ID)
	}
	top := heads[0].Height
	for step := uint64(1); step < top && len(have) < maxHave; step *= 2 {
		at := span{Position{Height: top - step}, Position{Height: top - step + 1}}
		if err := f.scanOrder(feed, at, func(at Position) bool {
			have = append(have, at.ID)
			return false
		}); err != nil {
			return nil, err
		}
	}
	return have, nil
}

// maxWalked is how many entries one want may make a peer look at.
const maxWalked = 4096

// behind reads the wanted entries and those behind them that the asking peer
// does not have.
func (f *Feeds) behind(m want) (message, error) {
	w := walk{f: f, feed: m.feed, seen: make(map[ID]*step)}
	for _, id := range m.have {
		if err := w.reach(id, true); err != nil {
			return nil, err
		}
	}
	for _, id := range m.ids {
		if err := w.reach(id, false); err != nil {
			return nil, err
		}
	}
	size := 0
	var found [][]byte
	for visited := 0; w.wanted > 0; visited++ {
		s := heap.Pop(&w.queue).(*step)
		raw, err := w.leave(s)
		if err != nil {
			return nil, err
		}
		if !s.had {
			found = append(found, raw)
			size += len(raw)
		}
		if visited == maxWalked || size > entriesFull {
			return nil, fault.New(fault.Limited, "what is behind the wanted entries is too much").WithHint("sync the feed")
		}
	}
	slices.Reverse(found) // parents first
	return entries{raw: found}, f.settle()
}

// walk goes from entries to their parents, the greatest position first, so that
// an entry is left only when all ways to it were seen.
type walk struct {
	f      *Feeds
	feed   FeedID
	seen   map[ID]*step
	queue  steps
	wanted int // steps in the queue that are not had
}

type step struct {
	at  Position
	had bool // the asking peer has it
}

// reach comes to an entry; one that is not here is passed over.
func (w *walk) reach(id ID, had bool) error {
	if s, ok := w.seen[id]; ok {
		if had && !s.had {
			s.had = true
			w.wanted--
		}
		return nil
	}
	known, ok, err := w.f.facts(w.feed, id)
	if err != nil || !ok {
		return err
	}
	s := &step{Position{known.height, id}, had}
	w.seen[id] = s
	heap.Push(&w.queue, s)
	if !had {
		w.wanted++
	}
	return nil
}

// leave goes on to an entry's parents and gives its encoding.
func (w *walk) leave(s *step) ([]byte, error) {
	if !s.had {
		w.wanted--
	}
	raw, ok, err := w.f.space.Get(place(keyEntry, w.feed, s.at))
	if err != nil {
		return nil, err
	}
	var e *Entry
	if ok {
		e, err = Decode(raw)
	}
	if !ok || err != nil {
		return nil, damaged("entry", w.feed)
	}
	for _, parent := range e.Parents {
		if err := w.reach(parent, s.had); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// steps is a heap, the greatest position on top.
type steps []*step

func (q steps) Len() int           { return len(q) }
func (q steps) Less(i, j int) bool { return q[i].at.Compare(q[j].at) > 0 }
func (q steps) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *steps) Push(s any)        { *q = append(*q, s.(*step)) }
func (q *steps) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	*q = (*q)[:last]
	return s
}
