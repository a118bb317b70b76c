package feed

import (
	"encoding/binary"
	"slices"
	"sync"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// How much is held. Too low and a neighbour whose clock runs ahead is heard
// late; too high and hostile neighbours fill the disk with the year 9999.
const (
	heldPerNeighbour = 128
	heldInAll        = 1024
)

// shelf is the entries that are dated ahead. They are on the disk; in memory
// is what decides about them.
type shelf struct {
	mu   sync.Mutex
	byID map[ref]ahead
}

type ahead struct {
	ref
	ts   int64
	from identity.PublicKey
}

func (a ahead) key() []byte {
	return slices.Concat([]byte{keyHeld}, number(uint64(a.ts)), a.id[:])
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

// has tells whether the entry is held.
func (s *shelf) has(feed FeedID, id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.byID[ref{feed, id}]
	return ok
}

// load reads what was held when the store was closed.
func (s *shelf) load(space *store.Space) error {
	s.byID = make(map[ref]ahead)
	var failed error
	err := space.Scan([]byte{keyHeld}, []byte{keyHeld + 1}, func(k, v []byte) bool {
		e, from, err := decodeHeld(v)
		if err != nil || len(k) != 41 {
			failed = fault.New(fault.Unavailable, "the store's held entries are damaged").
				WithHint("restore the store from a copy, or start with an empty one and sync")
			return false
		}
		a := ahead{ref{e.Feed, ID(k[9:])}, int64(binary.BigEndian.Uint64(k[1:])), from}
		s.byID[a.ref] = a
		return true
	})
	if err != nil {
		return err
	}
	return failed
}

func decodeHeld(v []byte) (*Entry, identity.PublicKey, error) {
	if len(v) < 32 {
		return nil, identity.PublicKey{}, invalid("%d bytes", len(v))
	}
	e, err := Decode(v[32:])
	return e, identity.PublicKey(v[:32]), err
}

// last is the one that is due last, of one neighbour or of all.
func (s *shelf) last(of *identity.PublicKey) (last ahead, n int) {
	for _, a := range s.byID {
		if of != nil && a.from != *of {
			continue
		}
		if n++; n == 1 || a.ts > last.ts {
			last = a
		}
	}
	return last, n
}

// room finds what must go so that one more fits: what is due last goes first,
// because its sender has the most time to send it again. ok is false when that
// would be the new one itself.
func (s *shelf) room(newcomer ahead) (victim ahead, full, ok bool) {
	if last, n := s.last(&newcomer.from); n >= heldPerNeighbour {
		return last, true, newcomer.ts < last.ts
	}
	if last, n := s.last(nil); n >= heldInAll {
		return last, true, newcomer.ts < last.ts
	}
	return ahead{}, false, true
}

// due names what is due at that time, ms since 1970, the earliest first.
func (s *shelf) due(now int64) []ahead {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ready []ahead
	for _, a := range s.byID {
		if a.ts <= now {
			ready = append(ready, a)
		}
	}
	slices.SortFunc(ready, func(a, b ahead) int { return slices.Compare(a.key(), b.key()) })
	return ready
}

func (s *shelf) remove(a ahead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, a.ref)
}
