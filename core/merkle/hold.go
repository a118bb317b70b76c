package merkle

import (
	"sync"

	"intercom/core/fault"
)

// holds are the versions that stay longer than the map's number of versions
// says, because somebody reads them.
type holds struct {
	mu   sync.Mutex
	of   map[uint64]int // version → how many hold it
	gone uint64         // what is older is forgotten, or will be with the next commit
}

const (
	// maxHeld bounds how many versions more than its number a map keeps
	// because of a hold: their nodes take room, and every write lists them.
	maxHeld = 1000
	// maxForgotten bounds how many versions one write removes when a hold has
	// ended.
	maxForgotten = 16
)

// Hold is At for a reader that takes longer than versions are kept: the version
// stays readable until release is called, which may be done twice, or until
// 1000 versions more than the map keeps have been written. A hold ends with
// the process.
func (m *Map) Hold(version uint64) (v *View, release func(), err error) {
	m.holds.mu.Lock()
	defer m.holds.mu.Unlock()
	v, err = m.At(version)
	if err != nil {
		return nil, nil, err
	}
	held := v.Version()
	if held < m.holds.gone {
		return nil, nil, fault.New(fault.NotFound, "version %d of the map is no longer kept", held).
			WithHint("the oldest one is %d", m.holds.gone)
	}
	if m.holds.of == nil {
		m.holds.of = map[uint64]int{}
	}
	m.holds.of[held]++
	return v, sync.OnceFunc(func() { m.holds.release(held) }), nil
}

func (h *holds) release(version uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[version]--; h.of[version] == 0 {
		delete(h.of, version)
	}
}

// surplus is how many of the kept versions, oldest first, a write removes.
func (h *holds) surplus(kept []record, keep int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for n < len(kept)-keep && n < maxForgotten {
		if h.of[kept[n].version] > 0 && len(kept)-n <= keep+maxHeld {
			break
		}
		n++
	}
	h.gone = max(h.gone, kept[n].version)
	return n
}
