package intersplit

import (
	"bytes"
	"context"
	"crypto/sha256"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/store"
	"intercom/intersplit/ledger"
)

// composer makes the body of a new entry in the room's state.
type composer func(l *ledger.Ledger) (ledger.Body, error)

// record appends an entry, which is on disk when it returns, and announces it;
// sent is to how many members. A key that this author has used in the room stands
// for the entry that it made: the same content again is that entry, and it is
// announced once more, since whoever repeats a call may have lost the answer.
func (r *Rooms) record(ctx context.Context, rm *room, key string, compose composer) (e *ledger.Entry, sent int, err error) {
	if err := r.stand(ctx, rm); err != nil {
		return nil, 0, err
	}
	var options []feed.AppendOption
	if key != "" {
		before, err := r.repeated(rm, key, compose)
		if err != nil {
			return nil, 0, err
		}
		if before != nil {
			entry := ledgerEntry(before)
			return &entry, r.announce(ctx, rm, before, entry.Body), nil
		}
		options = r.withKey(rm, key)
	}
	body, raw, err := composed(rm, compose)
	if err != nil {
		return nil, 0, err
	}
	written, err := r.feeds.Append(ctx, rm.id, r.signer, raw, r.now(), options...)
	if err != nil {
		return nil, 0, err
	}
	if !bytes.Equal(written.Body, raw) && !ledger.Decode(written.Body).Same(body) {
		return nil, 0, keyConflict(key, ledger.ID(written.ID()))
	}
	entry := ledgerEntry(written)
	return &entry, r.announce(ctx, rm, written, body), nil
}

// repeated finds the entry that this author gave a key; nil when there is none.
// The call is composed again on what its author knew then, since what it means,
// or whether it is possible, may have changed since, not least by the entry itself.
func (r *Rooms) repeated(rm *room, key string, compose composer) (*feed.Entry, error) {
	before, err := r.byKey(rm, key)
	if err != nil || before == nil {
		return nil, err
	}
	said := ledger.Decode(before.Body)
	same := false
	err = rm.look(func(l *ledger.Ledger) {
		body, refused := compose(l.Before(ledger.ID(before.ID())))
		same = refused == nil && body.Same(said)
	})
	if err == nil && !same {
		err = keyConflict(key, ledger.ID(before.ID()))
	}
	return before, err
}

// recordAll appends entries in their order and announces them; all are on disk
// when it returns. After an error the first of them may be there. Options act on
// the batch as a whole: see [feed.Feeds.AppendAll].
func (r *Rooms) recordAll(ctx context.Context, rm *room, bodies []ledger.Body, options ...feed.AppendOption) (all []*ledger.Entry, sent int, err error) {
	if err := r.stand(ctx, rm); err != nil {
		return nil, 0, err
	}
	raw := make([][]byte, len(bodies))
	for i, body := range bodies {
		if raw[i], err = body.Encode(); err != nil {
			return nil, 0, err
		}
	}
	defer r.gather(rm)()
	written, err := r.feeds.AppendAll(ctx, rm.id, r.signer, raw, r.now(), options...)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range written {
		entry := ledgerEntry(e)
		all = append(all, &entry)
	}
	return all, r.announceAll(ctx, rm, written, bodies), nil
}

// preview is what record would give, with nothing written: the entry of the key,
// or a body that is not recorded yet.
func (r *Rooms) preview(rm *room, key string, compose composer) (before *feed.Entry, body ledger.Body, err error) {
	if key != "" {
		if before, err = r.repeated(rm, key, compose); err != nil || before != nil {
			return before, ledger.Body{}, err
		}
	}
	body, _, err = composed(rm, compose)
	return nil, body, err
}

func composed(rm *room, compose composer) (body ledger.Body, raw []byte, err error) {
	lookErr := rm.look(func(l *ledger.Ledger) { body, err = compose(l) })
	if lookErr != nil {
		return ledger.Body{}, nil, lookErr
	}
	if err != nil {
		return ledger.Body{}, nil, err
	}
	raw, err = body.Encode()
	return body, raw, err
}

func keyConflict(key string, id ledger.ID) error {
	return fault.New(fault.Conflict, "key %q was used for another entry, %s", key, idText(id)).
		WithHint("take a new key for a new entry, or repeat the call exactly")
}

// withKey has the feed look for the key before it writes, and write the key in
// the entry's own batch, so that two calls with one key make one entry even when
// they race or the peer dies between.
func (r *Rooms) withKey(rm *room, key string) []feed.AppendOption {
	return []feed.AppendOption{
		feed.Unless(func() (*feed.Entry, error) { return r.byKey(rm, key) }),
		feed.WithRecord(func(b *store.Batch, e *feed.Entry) {
			id := e.ID()
			b.In(r.space).Set(keyRecord(rm, key), id[:])
		}),
	}
}

// byKey finds this author's entry with a key, nil when there is none: in the
// record that was written with it or, when the entry came back from another peer,
// in the ledger.
func (r *Rooms) byKey(rm *room, key string) (*feed.Entry, error) {
	record, found, err := r.space.Get(keyRecord(rm, key))
	if err != nil {
		return nil, err
	}
	if !found {
		err = rm.look(func(l *ledger.Ledger) {
			var before *ledger.Entry
			if before, found = l.ByKey(r.self, key); found {
				record = before.ID[:]
			}
		})
	}
	if err != nil || !found {
		return nil, err
	}
	if len(record) == len(feed.ID{}) {
		if e, stored, err := r.feeds.Get(rm.id, feed.ID(record)); err != nil || stored {
			return e, err
		}
	}
	return nil, fault.New(fault.Unavailable, "the record of key %q is damaged", key).WithHint("take another key")
}

// keyRecord is where the entry of a key is named: by room, then by the key's
// hash, which has one length.
func keyRecord(rm *room, key string) []byte {
	hash := sha256.Sum256([]byte(key))
	return append(append([]byte{'k'}, rm.id[:]...), hash[:]...)
}
