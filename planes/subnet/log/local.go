package log

import (
	"context"
	"sync"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/merkle"
)

// settling is how far apart two computations of the whole local view are: what
// arrives in between is carried out together.
const settling = 50 * time.Millisecond

// view makes local views, when somebody asks for one.
type view struct {
	turn  chan struct{} // held by who computes; made by the first
	once  sync.Once
	last  *Local
	began time.Time // of the last computation of the whole
}

// Local is the local view: the confirmed state with the tail carried out on it.
// It may be read from any goroutine; after some further blocks its reads fail,
// and another one is to be asked for.
type Local struct {
	mu       sync.Mutex // the update belongs to one goroutine at a time
	u        *merkle.Update
	head     head
	age      uint64
	list     []*item
	outcomes map[feed.ID]Outcome
}

// Local gives the view of everything that was stored when it was called. When
// something came in between the view is computed anew, at most every 50 ms; what
// came behind everything else is added to the view at once.
func (l *Log) Local(ctx context.Context) (*Local, error) {
	v := &l.view
	v.once.Do(func() { v.turn = make(chan struct{}, 1) })
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now := l.extend(v.last); now != nil {
		v.last = now
		return now, nil
	}
	if wait := time.Until(v.began.Add(settling)); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v.began = time.Now()
	now, err := l.overlay()
	if err == nil {
		v.last = now
	}
	return now, err
}

// overlay computes the local view from the confirmed state.
func (l *Log) overlay() (*Local, error) {
	for {
		u, err := l.states().Update()
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		v := &Local{u: u, head: l.head, age: l.age, list: l.tail.list, outcomes: make(map[feed.ID]Outcome)}
		l.mu.Unlock()
		if root, err := u.Root(); err != nil {
			return nil, err
		} else if bft.Hash(root) != v.head.root {
			continue // a block was committed in between
		}
		return v, l.lay(v, v.list)
	}
}

// lay carries out entries on a view; one that the state has no place for waits.
func (l *Log) lay(v *Local, list []*item) error {
	for _, it := range list {
		if err := l.machine.Admit(v.u, it.Entry); err != nil {
			continue
		}
		outcome, err := l.machine.Apply(v.u, it.Entry, uint64(v.head.height+1))
		if err != nil {
			return err
		}
		v.outcomes[it.at.ID] = outcome
	}
	return nil
}

// extend gives the last view when it still holds, with what came behind it.
func (l *Log) extend(v *Local) *Local {
	if v == nil {
		return nil
	}
	l.mu.Lock()
	head, age, list := l.head, l.age, l.tail.list
	l.mu.Unlock()
	if v.age == age {
		return v
	}
	if v.head != head || len(list) < len(v.list) || !prefix(v.list, list) {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := l.lay(v, list[len(v.list):]); err != nil {
		return nil
	}
	v.age, v.list = age, list
	return v
}

// prefix tells whether a list begins with another one; both are sorted and
// nothing leaves the tail but by a block, so the ends tell.
func prefix(short, long []*item) bool {
	n := len(short)
	return n == 0 || long[n-1] == short[n-1]
}

// Get reads a key; the value is the caller's to read, not to change.
func (v *Local) Get(key []byte) (value []byte, ok bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.u.Get(key)
}

// Root is what the state's root would be if all of the tail were confirmed in
// this order.
func (v *Local) Root() (merkle.Hash, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.u.Root()
}

// Outcome tells what would come of an entry of the tail; ok is false when it is
// none, or the state has no place for it.
func (v *Local) Outcome(id feed.ID) (o Outcome, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, ok = v.outcomes[id]
	return o, ok
}

// Overlay gives an update that reads as the local view does, for the caller to
// try something on and drop.
func (l *Log) Overlay() (*merkle.Update, error) {
	v, err := l.overlay()
	if err != nil {
		return nil, err
	}
	return v.u, nil
}
