package chain

import (
	"encoding/binary"

	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/core/store"
)

// taking is a state that comes in pieces.
type taking struct {
	app     *App
	builder merkle.Builder // computes the root of all that came

	update  *merkle.Update // what came and is not written
	size    int
	version uint64 // of the portion that is written next
	most    uint64 // the version of the last one, which is the state's height
}

// all takes piece after piece; of a large state all but the end is written.
func (t *taking) all(next func() ([]byte, error)) error {
	for {
		piece, err := next()
		if err != nil {
			return err
		}
		if piece == nil {
			return nil
		}
		if t.update == nil {
			if t.update, err = t.app.tree.Update(); err != nil {
				return err
			}
		}
		if err := merkle.ReadList(piece, t.take); err != nil {
			return err
		}
		if t.size < portion || t.version+1 >= t.most {
			continue
		}
		t.version++
		batch := t.app.space.Batch()
		if err := t.write(batch, t.version); err != nil {
			return err
		}
		if err := batch.Apply(); err != nil {
			return err
		}
	}
}

func (t *taking) take(key, value []byte) error {
	if err := t.builder.Add(key, value); err != nil {
		return err
	}
	t.update.Set(key, value)
	t.size += len(key) + len(value)
	return nil
}

func (t *taking) write(batch *store.Batch, version uint64) error {
	if t.update == nil {
		return nil
	}
	_, err := t.update.Write(batch, version)
	t.update, t.size = nil, 0
	return err
}

// forget leaves the application without a state, as before Init.
func (a *App) forget() error {
	b := a.space.Batch()
	b.Delete(headKey)
	b.Delete(beginKey)
	if err := b.Commit(); err != nil {
		return err
	}
	return a.clear()
}

// clear empties the map of a state that has no head: what a newcomer took of one
// and did not finish.
func (a *App) clear() error {
	var from []byte
	for more := true; more; {
		b := a.state.Batch()
		n := 0
		err := a.state.Scan(from, nil, func(key, _ []byte) bool {
			b.Delete(key)
			from = append(from[:0], key...)
			n++
			return n < 10_000
		})
		if err == nil && n > 0 {
			err = b.Apply()
		}
		if err != nil {
			return err
		}
		more = n == 10_000
	}
	a.tree = merkle.Open(a.state, Kept+1)
	view, err := a.tree.Last()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head = head{view: view}
	return nil
}

var beginKey = []byte("begin")

func (a *App) loadBegin() error {
	raw, ok, err := a.space.Get(beginKey)
	if err != nil || !ok {
		return err
	}
	if len(raw) != 8 {
		return fault.New(fault.Unavailable, "the beginning of the settlement state is damaged").
			WithHint("restore the store from a copy, or begin with a new one and fetch the state again")
	}
	a.head.begin = int64(binary.BigEndian.Uint64(raw))
	return nil
}
