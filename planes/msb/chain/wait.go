package chain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// maxWaiters bounds how many calls wait at a time.
const maxWaiters = 100_000

// waiters are those who wait here for a transaction to be settled. The zero
// value is ready.
type waiters struct {
	mu     sync.Mutex
	of     map[bus.ID][]chan bus.Record // each holds one
	length int
}

func (w *waiters) add(id bus.ID) (chan bus.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.length >= maxWaiters {
		return nil, fault.New(fault.Limited, "%d calls wait for transactions", w.length).WithHint("wait for fewer at a time")
	}
	if w.of == nil {
		w.of = make(map[bus.ID][]chan bus.Record)
	}
	c := make(chan bus.Record, 1)
	w.of[id] = append(w.of[id], c)
	w.length++
	return c, nil
}

func (w *waiters) drop(id bus.ID, c chan bus.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.of[id]
	i := slices.Index(list, c)
	if i < 0 {
		return // told
	}
	w.length--
	if w.of[id] = slices.Delete(list, i, i+1); len(w.of[id]) == 0 {
		delete(w.of, id)
	}
}

// tell tells that a transaction is settled.
func (w *waiters) tell(id bus.ID, r bus.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.of[id] {
		c <- r
		w.length--
	}
	delete(w.of, id)
}

// ids are the transactions that are waited for.
func (w *waiters) ids() []bus.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.of))
}

// wait waits until a transaction is settled here. By then the engine has its
// block on the disk.
func (a *App) wait(ctx context.Context, id bus.ID) (bus.Record, error) {
	c, err := a.waiters.add(id)
	if err != nil {
		return bus.Record{}, err
	}
	defer a.waiters.drop(id, c)
	if r, settled, err := bus.Read(a.now().view).Tx(id); settled || err != nil {
		return r, err
	}
	select {
	case r := <-c:
		return r, nil
	case <-ctx.Done():
		return bus.Record{}, fmt.Errorf("waiting for transaction %s: %w", id, ctx.Err())
	}
}
