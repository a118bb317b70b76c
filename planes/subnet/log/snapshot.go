package log

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
)

// pieceSize is about how many bytes of state one frame of a snapshot has.
const pieceSize = 1 << 20

// put takes one frame.
type put func(kind byte, payload []byte) error

// makeSnapshot puts down a snapshot: the state after the newest block that another one
// follows, and what must be known of the entries that made it. The state stays
// readable meanwhile. It is [fault.NotFound] while there is no such block.
func (l *Log) makeSnapshot(ctx context.Context, to put) (then head, err error) {
	l.mu.Lock()
	now, at := l.head, l.at()
	l.mu.Unlock()
	if now.height < 2 || now.version <= now.base {
		return head{}, fault.New(fault.NotFound, "no snapshot at height %d", now.height).
			WithHint("ask again after the next block, or follow the chain from its beginning")
	}
	state, release, err := at.state.Hold(now.version - 1)
	if err != nil {
		return head{}, err
	}
	defer release()
	leaf, _, err := state.Get(leafKey)
	if err != nil {
		return head{}, err
	}
	if then, err = decodeLeaf(leaf); err != nil {
		return head{}, err
	}
	then.height, then.root = now.height-1, bft.Hash(state.Root())
	err = to(frameSnapshot, append(number(uint64(then.height)), then.root[:]...))
	if err == nil {
		err = putState(ctx, to, state)
	}
	if err == nil {
		err = l.putOrder(ctx, to, at, then.count)
	}
	if err == nil {
		err = to(frameEnd, nil)
	}
	return then, err
}

func putState(ctx context.Context, to put, state *merkle.View) error {
	for after := []byte(nil); ; {
		piece, last, err := state.List(after, pieceSize)
		if err = firstOf(err, ctx.Err()); err == nil {
			err = to(frameState, piece)
		}
		if err != nil || last == nil {
			return err
		}
		after = last
	}
}

// putOrder puts down the first entries of the order, and of the entries
// themselves those that new ones are built on.
func (l *Log) putOrder(ctx context.Context, to put, at *place, count uint64) error {
	var ends ends
	var failed error
	err := at.space.Scan(orderKey(0), orderKey(count), func(_, roll []byte) bool {
		failed = firstOf(ctx.Err(), to(frameRoll, roll), readRoll(roll, ends.see))
		return failed == nil
	})
	if err = firstOf(err, failed); err != nil {
		return err
	}
	for id := range ends.ids() {
		entry, ok, err := l.feeds.Get(l.feed, id)
		if err == nil && !ok {
			err = fault.New(fault.Unavailable, "entry %s is not here", id).WithHint("ask another peer")
		}
		if err == nil {
			err = to(frameEntry, entry.Encode())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ends are the entries that new ones are built on, as far as an order was seen:
// each author's newest, and the last of all.
type ends struct {
	newest map[identity.PublicKey]listed
	last   feed.ID
}

func (n *ends) see(e listed) (more bool) {
	if n.newest == nil {
		n.newest = make(map[identity.PublicKey]listed)
	}
	if was, ok := n.newest[e.author]; !ok || e.seq >= was.seq {
		n.newest[e.author] = e
	}
	n.last = e.id
	return true
}

func (n *ends) ids() map[feed.ID]bool {
	ids := map[feed.ID]bool{n.last: true}
	for _, e := range n.newest {
		ids[e.id] = true
	}
	return ids
}

// announced is what a snapshot says of itself.
type announced struct {
	height int64
	root   merkle.Hash
}

func readAnnounced(r io.Reader) (a announced, err error) {
	kind, payload, err := readFrame(r)
	if err == nil && (kind != frameSnapshot || len(payload) != 8+len(a.root)) {
		err = malformed("a frame of kind %d for a snapshot", kind)
	}
	if err != nil {
		return a, err
	}
	a.height = int64(binary.BigEndian.Uint64(payload))
	a.root = merkle.Hash(payload[8:])
	if a.height < 1 {
		err = malformed("a snapshot of height %d", a.height)
	}
	return a, err
}

// Restore reads a snapshot that another peer's ServeSnapshot writes, verifies that
// it is what the chain's validators signed, and goes on from it. Neither
// Follow nor a node may be running, and a chain's own node cannot go on from it.
// What does not hold is a [fault.Invalid] and changes nothing; a snapshot that is
// not ahead of this log is a [fault.Conflict].
func (l *Log) Restore(ctx context.Context, from io.Reader, chain *bft.Follower) error {
	r := bufio.NewReaderSize(from, 64<<10)
	a, err := readAnnounced(r)
	if err != nil {
		return err
	}
	if now := l.Status().Height; a.height <= now {
		return fault.New(fault.Conflict, "a snapshot of block %d, but %d is confirmed here", a.height, now).WithHint("follow the chain")
	}
	h, err := chain.Header(ctx, a.height+1)
	if err != nil {
		return err
	}
	if h.State != bft.Hash(a.root) {
		return malformed("a snapshot whose state is not the chain's at block %d", a.height)
	}
	s := &restoring{l: l, to: l.other(), ctx: ctx, announced: a}
	if err := s.run(r, chain); err != nil {
		l.vouched.Store(nil)
		return err
	}
	return l.moveTo(s.to)
}

// moveTo makes a place that was read the one in use. What waited is looked
// through again: some of it is confirmed there.
func (l *Log) moveTo(to *place) error {
	old := l.at()
	b := l.space.Batch()
	b.Set(placeKey, []byte(to.name))
	if err := b.Commit(); err != nil {
		return err
	}
	l.mu.Lock()
	err := l.reload()
	l.age++
	l.mu.Unlock()
	l.vouched.Store(nil)
	if err != nil {
		return err
	}
	return firstOf(empty(old.space), empty(l.store.Space(l.prefix+"/state/"+old.name)))
}

// reload reads everything again. The lock is held.
func (l *Log) reload() error {
	l.tail, l.seen, l.unoffered = newTail(), 0, nil
	if err := l.load(); err != nil {
		return err
	}
	return l.recover()
}
