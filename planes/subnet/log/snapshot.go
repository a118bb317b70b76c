package log

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/merkle"
)

// pieceSize is about how many bytes of state one frame of a snapshot has.
const pieceSize = 1 << 20

// ServeSnapshot writes a snapshot: the state after the newest block that another
// one follows, and what must be known of the entries that made it. The state
// stays readable meanwhile. How many are served at once, and for how long, is up
// to the caller; it is [fault.NotFound] while there is no such block.
func (l *Log) ServeSnapshot(ctx context.Context, to io.Writer) error {
	l.mu.Lock()
	now, at := l.head, l.at()
	l.mu.Unlock()
	if now.height < 2 || now.version <= now.base {
		return fault.New(fault.NotFound, "no snapshot at height %d", now.height).WithHint("ask again after the next block, or follow the chain from its beginning")
	}
	state, err := at.state.At(now.version - 1)
	if err != nil {
		return err
	}
	defer at.state.Hold(state)()
	leaf, _, err := state.Get(leafKey)
	if err != nil {
		return err
	}
	then, err := decodeLeaf(leaf)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, 64<<10)
	root := state.Root()
	if err := writeFrame(w, frameSnapshot, append(number(uint64(now.height-1)), root[:]...)); err != nil {
		return err
	}
	if err := l.sendState(ctx, w, state); err != nil {
		return err
	}
	if err := l.sendRolls(ctx, w, at, then.count); err != nil {
		return err
	}
	if err := writeFrame(w, frameEnd, nil); err != nil {
		return err
	}
	return w.Flush()
}

func (l *Log) sendState(ctx context.Context, w io.Writer, state *merkle.View) error {
	for after := []byte(nil); ; {
		piece, last, err := state.List(after, pieceSize)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = writeFrame(w, frameState, piece)
		}
		if err != nil || last == nil {
			return err
		}
		after = last
	}
}

// sendRolls sends the first entries of the order, and of the entries themselves
// those that new ones are built on: each author's newest, and the last.
func (l *Log) sendRolls(ctx context.Context, w io.Writer, at *place, count uint64) error {
	newest := make(map[identity.PublicKey]listed)
	var last listed
	var failed error
	err := at.space.Scan(orderKey(0), orderKey(count), func(_, roll []byte) bool {
		failed = firstOf(ctx.Err(), writeFrame(w, frameRoll, roll), readRoll(roll, func(e listed) bool {
			if was, ok := newest[e.author]; !ok || e.seq >= was.seq {
				newest[e.author] = e
			}
			last = e
			return true
		}))
		return failed == nil
	})
	if err = firstOf(err, failed); err != nil {
		return err
	}
	newest[identity.PublicKey{}] = last
	for _, e := range newest {
		entry, ok, err := l.feeds.Get(l.feed, e.id)
		if err != nil || !ok {
			return firstOf(err, fault.New(fault.Unavailable, "entry %s is not here", e.id).WithHint("ask another peer"))
		}
		if err := writeFrame(w, frameEntry, entry.Encode()); err != nil {
			return err
		}
	}
	return nil
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
