package bft

import (
	"encoding/binary"
	"errors"

	"intercom/core/fault"
	"intercom/core/store"
)

// journal is what a node remembers of its chain beside the engine's own
// databases: where each transaction stands, and which headers announce another
// set of validators. The engine's transaction index is off: it is not closed
// when the engine stops.
//
//	t ‖ tx hash  → height u64be ‖ index u32be
//	s ‖ height   → nothing: header `height` may name a next set unlike its own
//	g            → hash of the genesis
//	u ‖ height   → that change, as Advance takes it, when its block is not here any more
//	1            → signed header 1, likewise
//	j            → where a newcomer landed: blob signed header H ‖ blob signed header H+1
//
// It is written before the engine saves the results of a block, in the same
// store, so what the engine remembers the journal has.
type journal struct{ space *store.Space }

var (
	firstKey   = []byte("1")
	landingKey = []byte("j")
)

func (j journal) bind(genesis Hash) error {
	was, ok, err := j.space.Get([]byte("g"))
	switch {
	case err != nil:
		return err
	case ok && string(was) != string(genesis[:]):
		return fault.New(fault.Conflict, "this store follows the genesis %x, not %s", was, genesis).
			WithHint("use another store for another chain")
	case ok:
		return nil
	}
	b := j.space.Batch()
	b.Set([]byte("g"), genesis[:])
	return b.Commit()
}

// record notes a block that is being executed; again after a crash.
func (j journal) record(height int64, txs [][]byte, newSet bool) error {
	if len(txs) == 0 && !newSet {
		return nil
	}
	b := j.space.Batch()
	for i, tx := range txs {
		hash := TxHash(tx)
		key := txKey(hash)
		// The first place counts: a chain may hold the same bytes twice.
		if _, ok, err := j.space.Get(key); err != nil {
			return err
		} else if !ok {
			b.Set(key, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(height)), uint32(i)))
		}
	}
	if newSet {
		b.Set(setKey(height+1), nil)
	}
	return b.Apply()
}

func (j journal) find(hash Hash) (height int64, index int, ok bool, err error) {
	at, ok, err := j.space.Get(txKey(hash))
	if err != nil || !ok || len(at) != 12 {
		return 0, 0, false, err
	}
	return int64(binary.BigEndian.Uint64(at)), int(binary.BigEndian.Uint32(at[8:])), true, nil
}

// keepLanding writes down where a newcomer lands, with the updates and the
// first header that its followers will ask for.
func (j journal) keepLanding(l *landing) error {
	at, err := encodeSigned(l.at.Header, l.at.Commit)
	if err != nil {
		return err
	}
	next, err := encodeSigned(l.next.Header, l.next.Commit)
	if err != nil {
		return err
	}
	b := j.space.Batch()
	for i, update := range l.updates {
		b.Set(setKey(l.changed[i]), nil)
		b.Set(updateKey(l.changed[i]), update)
	}
	b.Set(firstKey, l.first)
	b.Set(landingKey, putBlob(putBlob(nil, at), next))
	return b.Commit()
}

// landing reads it back; nil when there is none. Nothing is believed that was not
// proven: it is verified again.
func (j journal) landing(g Genesis) (*landing, error) {
	raw, ok, err := j.space.Get(landingKey)
	if err != nil || !ok {
		return nil, err
	}
	r := &reader{rest: raw}
	at, next := r.blob(maxSigned), r.blob(maxSigned)
	if err := r.end(); err != nil {
		return nil, err
	}
	l := &landing{trust: g.Trust()}
	if l.next, err = decodeSigned(next); err != nil {
		return nil, err
	}
	var bad error
	err = j.space.Scan(updateKey(1), updateKey(l.next.Height+1), func(_, update []byte) bool {
		l.trust, bad = Advance(l.trust, update)
		return bad == nil
	})
	if err = errors.Join(err, bad); err == nil {
		l.next, err = l.trust.open(next)
	}
	if err == nil {
		l.at, err = l.trust.open(at)
	}
	return l, err
}

// changes lists the heights from on at which the next set may be another one.
func (j journal) changes(from int64, limit int) (heights []int64, err error) {
	err = j.space.Scan(setKey(from), setKey(-1), func(key, _ []byte) bool {
		if len(key) == 9 {
			heights = append(heights, int64(binary.BigEndian.Uint64(key[1:])))
		}
		return len(heights) < limit
	})
	return heights, err
}

func txKey(hash Hash) []byte { return append([]byte("t"), hash[:]...) }

func updateKey(height int64) []byte {
	return binary.BigEndian.AppendUint64([]byte("u"), uint64(height))
}

func setKey(height int64) []byte {
	return binary.BigEndian.AppendUint64([]byte("s"), uint64(height))
}
