package log

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/store"
)

// A snapshot is made once and kept as frames, in order: reading the state key by
// key takes seconds when it is large, and a slow newcomer must not keep old
// versions of it alive.

// staleAfter is how many entries may be confirmed until a kept snapshot is made
// anew: what a newcomer carries out in about a second.
const staleAfter = 10_000

// calm is how long nothing must have happened before Run makes a snapshot by
// itself.
const calm = 10 * time.Second

// kept tells of the snapshot that is kept.
type kept struct {
	Generation int
	Height     int64
	Count      uint64 // entries that it covers
	Root       bft.Hash
	Pruned     uint64 // entries of the order, from the first on, that the feed was rid of
}

// keptKey tells of the kept snapshot, in the log's root space.
var keptKey = []byte("kept")

func (l *Log) keptSpace(generation int) *store.Space {
	return l.store.Space(l.prefix + "/kept/" + strconv.Itoa(generation))
}

func (l *Log) loadKept() (k kept, err error) {
	raw, ok, err := l.space.Get(keptKey)
	if err == nil && ok && json.Unmarshal(raw, &k) != nil {
		err = damaged("kept snapshot")
	}
	return k, err
}

func (l *Log) saveKept(k kept) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	b := l.space.Batch()
	b.Set(keptKey, raw)
	return b.Commit()
}

// keepSnapshot gives a snapshot that is not stale, and makes one if need be.
func (l *Log) keepSnapshot(ctx context.Context) (kept, error) {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	old, err := l.loadKept()
	if err != nil || old.Height > 0 && l.Status().Confirmed-old.Count < staleAfter {
		return old, err
	}
	fresh := kept{Generation: old.Generation + 1, Pruned: old.Pruned}
	space := l.keptSpace(fresh.Generation)
	if err := empty(space); err != nil {
		return kept{}, err
	}
	n := uint64(0)
	then, err := l.makeSnapshot(ctx, func(kind byte, payload []byte) error {
		b := space.Batch()
		b.Set(number(n), append([]byte{kind}, payload...))
		n++
		return b.Apply()
	})
	if err != nil {
		return kept{}, err
	}
	fresh.Height, fresh.Count, fresh.Root = then.height, then.count, then.root
	if err := l.saveKept(fresh); err != nil {
		return kept{}, err
	}
	return fresh, empty(l.keptSpace(old.Generation))
}

// ServeSnapshot writes a snapshot for another peer's Restore. It may be some
// blocks old. How many are served at once, and for how long, is up to the caller.
// It is [fault.NotFound] when the chain has not got far enough for one.
func (l *Log) ServeSnapshot(ctx context.Context, to io.Writer) error {
	k, err := l.keepSnapshot(ctx)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, 64<<10)
	ended := false
	var failed error
	err = l.keptSpace(k.Generation).Scan(nil, nil, func(_, frame []byte) bool {
		failed = firstOf(ctx.Err(), writeFrame(w, frame[0], frame[1:]))
		ended = frame[0] == frameEnd
		return failed == nil
	})
	if err = firstOf(err, failed); err != nil {
		return err
	}
	if !ended {
		return fault.New(fault.Unavailable, "the snapshot was replaced meanwhile").WithHint("ask again")
	}
	return w.Flush()
}
