package log

import (
	"bufio"
	"context"
	"io"

	"intercom/core/feed"
	"intercom/core/identity"
)

// An exchange brings two peers' tails together: what is confirmed comes in
// blocks. One says which entries it has, the other answers with what that one
// lacks and with what it wants itself, and gets it:
//
//	→ have ids
//	← entry* want ids
//	→ entry* end
//
// Both speak of the lowest part of their tails; the rest has its turn when that
// is confirmed.
const (
	frameHave = 6 // ids
	frameWant = 7 // ids
)

// The bounds of one exchange, each way.
const (
	maxNamed     = 4096
	maxExchanged = 8 << 20 // bytes of entries
)

// Exchange brings this peer's tail and that of the peer that runs ServeExchange at
// the other end together. Remote is that peer, as the transport proved it. Whoever
// calls has made sure that both are of one subnet, and sets the stream's deadlines.
func (l *Log) Exchange(ctx context.Context, rw io.ReadWriter, remote identity.PublicKey) error {
	named := l.lowest()
	if err := writeFrame(rw, frameHave, joined(named)); err != nil {
		return err
	}
	wanted, err := l.receive(ctx, bufio.NewReader(rw), remote, frameWant)
	if err != nil {
		return err
	}
	mine := make(map[feed.ID]*item, len(named))
	for _, it := range named {
		mine[it.at.ID] = it
	}
	w := bufio.NewWriter(rw)
	sent := 0
	for _, id := range wanted {
		it := mine[id]
		if it == nil {
			return malformed("a wish for entry %s, which was not offered", id)
		}
		delete(mine, id)
		if sent += len(it.raw); sent > maxExchanged {
			break
		}
		if err := writeFrame(w, frameEntry, it.raw); err != nil {
			return err
		}
	}
	if err := writeFrame(w, frameEnd, nil); err != nil {
		return err
	}
	return w.Flush()
}

// ServeExchange answers a peer that runs Exchange at the other end.
func (l *Log) ServeExchange(ctx context.Context, rw io.ReadWriter, remote identity.PublicKey) error {
	r := bufio.NewReader(rw)
	kind, payload, err := readFrame(r)
	if err == nil && kind != frameHave {
		err = malformed("a frame of kind %d for a list", kind)
	}
	if err != nil {
		return err
	}
	theirs, err := split(payload)
	if err != nil {
		return err
	}
	want, end, err := l.lacking(theirs)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(rw)
	if err := l.sendLacked(w, theirs, end); err != nil {
		return err
	}
	if err := writeFrame(w, frameWant, join(want)); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = l.receive(ctx, r, remote, frameEnd)
	return err
}

// lacking names those of the ids that this peer has not got, and tells how far
// the list goes: to the end, unless it is full.
func (l *Log) lacking(theirs []feed.ID) (want []feed.ID, end feed.Position, err error) {
	for _, id := range theirs {
		has, err := l.feeds.Has(l.feed, id)
		if err != nil {
			return nil, end, err
		}
		if !has {
			if _, has, err = l.facts(id); err != nil {
				return nil, end, err
			}
		}
		if !has {
			want = append(want, id)
		}
	}
	if len(theirs) < maxNamed {
		return want, feed.Position{Height: 1 << 63}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if it := l.tail.byID[theirs[len(theirs)-1]]; it != nil {
		end = it.at
	}
	return want, end, nil
}

// sendLacked sends what the other peer did not name, up to a position.
func (l *Log) sendLacked(w io.Writer, theirs []feed.ID, end feed.Position) error {
	known := make(map[feed.ID]bool, len(theirs))
	for _, id := range theirs {
		known[id] = true
	}
	sent := 0
	for _, it := range l.lowest() {
		if known[it.at.ID] || it.at.Compare(end) > 0 {
			continue
		}
		if sent += len(it.raw); sent > maxExchanged {
			return nil
		}
		if err := writeFrame(w, frameEntry, it.raw); err != nil {
			return err
		}
	}
	return nil
}

// receive takes entries until a frame of the kind that ends them, which may
// hold ids.
func (l *Log) receive(ctx context.Context, r io.Reader, from identity.PublicKey, last byte) ([]feed.ID, error) {
	var entries []*feed.Entry
	for size := 0; ; {
		kind, payload, err := readFrame(r)
		if err != nil {
			return nil, err
		}
		if kind == last {
			ids, err := split(payload)
			return ids, firstOf(err, l.Take(ctx, entries, from))
		}
		if size += len(payload); kind != frameEntry || size > maxExchanged {
			return nil, malformed("a frame of kind %d after %d bytes", kind, size)
		}
		e, err := feed.Decode(payload)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
}

// lowest is the part of the tail that is spoken of.
func (l *Log) lowest() []*item {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.list[:min(len(l.tail.list), maxNamed)]
}

func joined(items []*item) []byte {
	ids := make([]feed.ID, len(items))
	for i, it := range items {
		ids[i] = it.at.ID
	}
	return join(ids)
}

func join(ids []feed.ID) []byte {
	out := make([]byte, 0, len(ids)*len(feed.ID{}))
	for _, id := range ids {
		out = append(out, id[:]...)
	}
	return out
}

func split(raw []byte) ([]feed.ID, error) {
	const size = len(feed.ID{})
	if len(raw)%size != 0 || len(raw) > maxNamed*size {
		return nil, malformed("a list of ids of %d bytes", len(raw))
	}
	ids := make([]feed.ID, 0, len(raw)/size)
	for ; len(raw) > 0; raw = raw[size:] {
		ids = append(ids, feed.ID(raw))
	}
	return ids, nil
}
