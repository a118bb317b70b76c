package chain

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
)

const (
	// sentAtOnce is how many states are kept for newcomers that take them over,
	// and sentPatience how long after the last question.
	sentAtOnce   = 4
	sentPatience = 2 * time.Minute
	// portion is how much of a state that is taken over is in memory, in bytes.
	portion = 8 << 20
)

// sent are the states that newcomers are taking over.
type sent struct {
	mu   sync.Mutex
	list []offer
}

type offer struct {
	height  int64
	view    *merkle.View
	release func()
	asked   time.Time
}

// Piece gives a part of the state after a block, which is kept meanwhile. Those
// whom too many others keep from it are [fault.Limited].
func (a *App) Piece(height int64, after []byte) (piece, next []byte, err error) {
	view, err := a.offered(height, time.Now())
	if err != nil {
		return nil, nil, err
	}
	return view.List(after, bft.MaxPiece)
}

func (a *App) offered(height int64, now time.Time) (*merkle.View, error) {
	a.sent.mu.Lock()
	defer a.sent.mu.Unlock()
	for i := range a.sent.list {
		if o := &a.sent.list[i]; o.height == height {
			o.asked = now
			return o.view, nil
		}
	}
	a.sent.sweep(now)
	if len(a.sent.list) >= sentAtOnce {
		return nil, fault.New(fault.Limited, "%d states are being sent", sentAtOnce).WithHint("ask again in %s", sentPatience)
	}
	if _, err := a.at(height); err != nil {
		return nil, err
	}
	view, release, err := a.tree.Hold(uint64(height))
	if err != nil {
		return nil, err
	}
	a.sent.list = append(a.sent.list, offer{height, view, release, now})
	return view, nil
}

// sweep lets go of what nobody asks for any more. The caller holds the lock.
func (s *sent) sweep(now time.Time) {
	kept := s.list[:0]
	for _, o := range s.list {
		if now.Sub(o.asked) < sentPatience {
			kept = append(kept, o)
		} else {
			o.release()
		}
	}
	s.list = kept
}

func (s *sent) committed(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
}

// Restore takes a state over, in portions: the map has them as versions of
// their own, but only with the head, written with the last one, they are a
// state.
func (a *App) Restore(g bft.Genesis, height int64, state bft.Hash, next func() ([]byte, error)) error {
	if h := a.now(); h.height > 0 {
		return fault.New(fault.Conflict, "the settlement state is at height %d already", h.height).WithHint("begin with a new store")
	}
	if err := a.forget(); err != nil {
		return err
	}
	t := &taking{app: a, most: uint64(height)}
	if err := t.all(next); err != nil {
		return errors.Join(err, a.forget())
	}
	if root := stateHash(t.builder.Root()); root != state {
		return errors.Join(fault.New(fault.Invalid, "the state has root %s, not %s", root, state).WithHint("ask another server"), a.forget())
	}
	h := head{height: height, genesis: g.Hash(), view: a.now().view, begin: height}
	batch := a.space.Batch()
	batch.Set(beginKey, binary.BigEndian.AppendUint64(nil, uint64(height)))
	batch.Set(headKey, h.encode())
	if err := t.write(batch, uint64(height)); err != nil {
		return err
	}
	if err := batch.Commit(); err != nil {
		return err
	}
	view, err := a.tree.Last()
	if err != nil {
		return err
	}
	h.view = view
	a.mu.Lock()
	a.head = h
	a.mu.Unlock()
	return nil
}
