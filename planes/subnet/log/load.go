package log

import (
	"context"
	"encoding/binary"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/core/store"
)

// load reads where the log stands.
func (l *Log) load() error {
	place, _, err := l.space.Get([]byte{keyState})
	if err != nil {
		return err
	}
	l.state.Store(l.openState(string(place)))
	raw, ok, err := l.space.Get([]byte{keyHead})
	if err != nil || !ok {
		return err
	}
	l.head, err = decodeHead(raw)
	l.begun = err == nil
	return err
}

// openState gives the map in one of the places that a state can be in: a
// snapshot is read into another one than the state that it replaces.
func (l *Log) openState(place string) *merkle.Map {
	return merkle.Open(l.store.Space("log/"+l.name+"/state/"+place), keptVersions)
}

// begin makes the state of the first entry, which is confirmed from the start,
// and has the feed hold it.
func (l *Log) begin(first *feed.Entry) error {
	if l.begun {
		if f, ok, err := l.facts(l.first.at.ID); err != nil || ok && f.block == 0 {
			return err
		}
		return fault.New(fault.Conflict, "this store holds another subnet than the one that begins with %s", l.first.at.ID).
			WithHint("use another store for another subnet")
	}
	u, err := l.states().Update()
	if err != nil {
		return err
	}
	if err := l.machine.Begin(u, first, 0); err != nil {
		return err
	}
	b := l.space.Batch()
	l.head.append(l.first.at.ID)
	u.Set(leafKey, l.head.leaf())
	root, err := u.Write(b, 0)
	if err != nil {
		return err
	}
	l.head.root = [32]byte(root)
	b.In(l.space).Set([]byte{keyHead}, l.head.encode())
	l.index(b.In(l.space), 0, first, l.first.at.ID, 0)
	if err := b.Commit(); err != nil {
		return err
	}
	l.begun = true
	_, err = l.feeds.Add(context.Background(), first, identity.PublicKey{}, time.UnixMilli(first.TS))
	return err
}

// index writes that an entry is confirmed, as number n of the order.
func (l *Log) index(b *store.Batch, block int64, e *feed.Entry, id feed.ID, n uint64) {
	b.Set(confirmedKey(id), facts{uint64(block), e.Height, e.Seq, e.Author}.encode())
	b.Set(orderKey(n), id[:])
	b.Delete(pendingKey(feed.Position{Height: e.Height, ID: id}))
}

// recover makes the tail. The feed writes an entry before the log notes it, so
// when the numbers differ the feed is looked through.
func (l *Log) recover() error {
	if raw, ok, err := l.space.Get([]byte{keySeen}); err != nil {
		return err
	} else if ok && len(raw) == 8 {
		l.seen = binary.BigEndian.Uint64(raw)
	}
	count, err := l.feeds.Count(l.feed)
	if err != nil {
		return err
	}
	if count != l.seen {
		if err := l.review(count); err != nil {
			return err
		}
	}
	var waiting []feed.ID
	err = l.space.Scan([]byte{keyPending}, []byte{keyPending + 1}, func(key, _ []byte) bool {
		waiting = append(waiting, pendingPosition(key).ID)
		return true
	})
	for _, id := range waiting {
		e, ok, getErr := l.feeds.Get(l.feed, id)
		if err != nil || getErr != nil || !ok {
			return firstOf(err, getErr, damaged("tail"))
		}
		l.tail.add(newItem(e, e.Encode(), time.Now()))
	}
	return err
}

// review compares the whole feed with what is confirmed.
func (l *Log) review(count uint64) error {
	b := l.space.Batch()
	var failed error
	err := l.feeds.ScanEncoded(l.feed, feed.Position{}, func(at feed.Position, _ []byte) bool {
		_, known, err := l.facts(at.ID)
		if failed = err; err == nil && !known {
			b.Set(pendingKey(at), nil)
		}
		return err == nil
	})
	if err := firstOf(err, failed); err != nil {
		return err
	}
	b.Set([]byte{keySeen}, number(count))
	l.seen = count
	return b.Commit()
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func numberOf(raw []byte) uint64 { return binary.BigEndian.Uint64(raw) }

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
