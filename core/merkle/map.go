package merkle

import (
	"encoding/binary"
	"sync/atomic"

	"intercom/core/fault"
	"intercom/core/store"
)

// A Map is a map in a space of its own. Its methods may be called from any
// goroutine. It holds no state but caches: the newest version is what the
// store says.
type Map struct {
	nodes   nodes
	keep    int
	holds   holds
	written atomic.Pointer[written] // what may be committed by now
}

// Open gives the map in the space, which belongs to it alone. It keeps that
// many versions readable, at least one.
func Open(space *store.Space, keep int) *Map {
	return &Map{nodes: nodes{space: space}, keep: max(keep, 1)}
}

// record is a version as the store has it.
type record struct {
	version uint64
	root    ref
	next    uint64 // the first number that is free
}

const recordSize = 8 + 1 + len(Hash{}) + 8 + 8

func (r *record) encode() []byte {
	out := make([]byte, 0, recordSize)
	out = binary.BigEndian.AppendUint64(out, r.version)
	out = append(append(out, byte(r.root.kind)), r.root.hash[:]...)
	out = binary.BigEndian.AppendUint64(out, r.root.id)
	return binary.BigEndian.AppendUint64(out, r.next)
}

func decodeRecord(raw []byte) (record, error) {
	if len(raw) != recordSize || kind(raw[8]) > inner {
		return record{}, fault.New(fault.Unavailable, "the root of the map is damaged").
			WithHint("restore the store from a copy, or fetch the state again")
	}
	r := record{version: binary.BigEndian.Uint64(raw), root: ref{kind: kind(raw[8])}}
	rest := raw[9:]
	rest = rest[copy(r.root.hash[:], rest):]
	r.root.id, r.next = binary.BigEndian.Uint64(rest), binary.BigEndian.Uint64(rest[8:])
	return r, nil
}

// head is the newest version; of a new map it is number 0, which is empty.
func (m *Map) head() (record, error) {
	raw, ok, err := m.nodes.space.Get([]byte{keyHead})
	if err != nil {
		return record{}, err
	}
	if !ok {
		return record{next: 1}, nil
	}
	head, err := decodeRecord(raw)
	if err == nil {
		m.adopt(head)
	}
	return head, err
}

// Last is the newest committed version.
func (m *Map) Last() (*View, error) {
	head, err := m.head()
	if err != nil {
		return nil, err
	}
	return &View{nodes: &m.nodes, record: head}, nil
}

// At is the map as it was at that version, which is the newest one that is not
// above it. A version older than those that are kept is [fault.NotFound].
func (m *Map) At(version uint64) (*View, error) {
	kept, err := m.versions()
	if err != nil {
		return nil, err
	}
	for i := len(kept) - 1; i >= 0; i-- {
		if kept[i].version <= version {
			return &View{nodes: &m.nodes, record: kept[i]}, nil
		}
	}
	if len(kept) == 0 {
		return m.Last()
	}
	return nil, fault.New(fault.NotFound, "version %d of the map is no longer kept", version).
		WithHint("the oldest one is %d", kept[0].version)
}

// versions lists what can be read, oldest first.
func (m *Map) versions() (kept []record, err error) {
	var bad error
	err = m.nodes.space.Scan([]byte{keyRoot}, []byte{keyRoot + 1}, func(_, value []byte) bool {
		var r record
		if r, bad = decodeRecord(value); bad == nil {
			kept = append(kept, r)
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	return kept, err
}
