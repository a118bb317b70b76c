package merkle

import (
	"encoding/binary"
	"slices"

	"intercom/core/store"
)

// writer numbers what is new in a tree and puts it into a batch.
type writer struct {
	batch   *store.Batch
	next    uint64
	written written
}

// write puts down what is at a place and below it, children first, so that a
// page names numbers that are there.
func (w *writer) write(at *ref) {
	if at.kind == none || at.id != 0 {
		return
	}
	var raw []byte
	if at.kind == leaf {
		raw = at.entry.encode()
	} else {
		for i := range at.page {
			w.write(&at.page[i])
		}
		raw = at.page.encode()
	}
	at.id = w.next
	w.next++
	w.batch.Set(numbered(keyNode, at.id), raw)
	w.remember(at)
}

// remember notes a new node for the caches, as many as they hold, and cuts it off
// from the page above: a page that is cached must not hold what is below it.
func (w *writer) remember(at *ref) {
	switch {
	case at.kind == leaf && len(w.written.entries) < generation:
		w.written.entries[at.id] = at.entry
	case at.kind == inner && len(w.written.pages) < generation:
		w.written.pages[at.id] = at.page
	}
	at.page, at.entry = nil, nil
}

// conclude puts down the new version with what it replaced, and forgets the
// versions that are one too many.
func (m *Map) conclude(w *writer, fresh record, replaced []uint64) error {
	w.written.record = fresh
	m.written.Store(&w.written)
	raw := fresh.encode()
	w.batch.Set([]byte{keyHead}, raw)
	w.batch.Set(numbered(keyRoot, fresh.version), raw)
	w.batch.Set(numbered(keyStale, fresh.version), packed(replaced))
	kept, err := m.versions()
	if err != nil {
		return err
	}
	kept = append(kept, fresh)
	for n := m.holds.surplus(kept, m.keep); n > 0; n-- {
		if err := m.forget(w.batch, kept[0].version, kept[1].version, fresh.version, replaced); err != nil {
			return err
		}
		kept = kept[1:]
	}
	return nil
}

// forget removes the oldest version: what the one after it replaced, nobody else
// reads. If that is the one being written, its list is not in the store yet.
func (m *Map) forget(batch *store.Batch, oldest, second, fresh uint64, replaced []uint64) error {
	stale := packed(replaced)
	if second != fresh {
		var err error
		if stale, _, err = m.nodes.space.Get(numbered(keyStale, second)); err != nil {
			return err
		}
	}
	for id := range slices.Chunk(stale, 8) {
		batch.Delete(append([]byte{keyNode}, id...))
	}
	batch.Delete(numbered(keyStale, second))
	batch.Delete(numbered(keyRoot, oldest))
	return nil
}

func packed(ids []uint64) []byte {
	out := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		out = binary.BigEndian.AppendUint64(out, id)
	}
	return out
}
