package log

import (
	"context"
	"encoding/binary"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// load reads where the log stands.
func (l *Log) load() error {
	name, _, err := l.space.Get(placeKey)
	if err != nil {
		return err
	}
	l.placed.Store(l.placeAt(string(name)))
	raw, ok, err := l.at().space.Get([]byte{keyHead})
	if err != nil || !ok {
		return err
	}
	l.head, err = decodeHead(raw)
	l.begun = err == nil
	return err
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
	b := l.at().space.Batch()
	l.head.append(l.first.at.ID, l.first.facts(0))
	u.Set(leafKey, l.head.leaf())
	root, err := u.Write(b, 0)
	if err != nil {
		return err
	}
	l.head.root = bft.Hash(root)
	b.Set([]byte{keyHead}, l.head.encode())
	index(b, 0, 0, []*item{l.first})
	if _, err := l.feeds.Add(context.Background(), first, identity.PublicKey{}, time.UnixMilli(first.TS)); err != nil {
		return err
	}
	l.begun = true
	return b.Commit()
}

// facts is what is kept of the entry once a block has it.
func (it *item) facts(block int64) facts { return facts{uint64(block), it.Height, it.Seq, it.Author} }

// index writes that entries are confirmed, from that number of the order on.
func index(b *store.Batch, block int64, from uint64, entries []*item) {
	for _, it := range entries {
		b.Set(confirmedKey(it.at.ID), it.facts(block).encode())
		b.Delete(pendingKey(it.at))
	}
	if len(entries) > 0 {
		b.Set(orderKey(from), encodeRoll(block, entries))
	}
}

// recover makes the tail. The feed writes an entry before the log notes it, so
// when the numbers differ the feed is looked through.
func (l *Log) recover() error {
	if raw, ok, err := l.at().space.Get([]byte{keySeen}); err != nil {
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
	err = l.at().space.Scan([]byte{keyPending}, []byte{keyPending + 1}, func(key, _ []byte) bool {
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
	b := l.at().space.Batch()
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

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func numberOf(raw []byte) uint64 { return binary.BigEndian.Uint64(raw) }
