package bft

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"intercom/core/fault"
)

// waiters are those who wait for a transaction to be in a block.
type waiters struct {
	mu     sync.Mutex
	of     map[Hash][]chan Outcome // each holds one; nil after close
	length int
}

// maxWaiters bounds how many calls wait at a time.
const maxWaiters = 100_000

func (w *waiters) add(hash Hash) (chan Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.of == nil:
		return nil, errNotRunning
	case w.length >= maxWaiters:
		return nil, fault.New(fault.Limited, "%d calls wait for transactions", w.length).
			WithHint("wait for fewer at a time")
	}
	c := make(chan Outcome, 1)
	w.of[hash] = append(w.of[hash], c)
	w.length++
	return c, nil
}

func (w *waiters) drop(hash Hash, c chan Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.of[hash]
	if i := slices.Index(list, c); i >= 0 {
		w.length--
		if list = slices.Delete(list, i, i+1); len(list) == 0 {
			delete(w.of, hash)
		} else {
			w.of[hash] = list
		}
	}
}

func (w *waiters) tell(height int64, txs [][]byte, results []Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.length == 0 {
		return
	}
	for i, tx := range txs {
		hash := TxHash(tx)
		for _, c := range w.of[hash] {
			c <- Outcome{Height: height, Index: i, Result: results[i]}
			w.length--
		}
		delete(w.of, hash)
	}
}

func (w *waiters) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, list := range w.of {
		for _, c := range list {
			close(c)
		}
	}
	w.of, w.length = nil, 0
}

// Wait waits until a transaction is in a block that is committed here, and
// says what came of it; that survives the end of this process. A transaction
// that nobody offered is waited for until ctx is done.
func (n *Node) Wait(ctx context.Context, hash Hash) (Outcome, error) {
	c, err := n.waiters.add(hash)
	if err != nil {
		return Outcome{}, err
	}
	defer n.waiters.drop(hash, c)
	if out, ok, err := n.Find(hash); ok || err != nil {
		return out, err
	}
	select {
	case out, ok := <-c:
		if !ok {
			return Outcome{}, errNotRunning
		}
		return out, nil
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("waiting for transaction %s: %w", hash, ctx.Err())
	}
}

// Find tells what came of a transaction that is in a committed block; ok is
// false when there is none. The same bytes twice in a chain: the first counts.
func (n *Node) Find(hash Hash) (out Outcome, ok bool, err error) {
	r, err := n.enter()
	if err != nil {
		return out, false, err
	}
	defer n.calls.Done()
	height, index, ok, err := n.journal.find(hash)
	n.mu.Lock()
	committed := n.height
	n.mu.Unlock()
	if err != nil || !ok || height > committed {
		return out, false, err
	}
	results, err := r.results(height)
	if err != nil || index >= len(results) {
		return out, false, err
	}
	return Outcome{Height: height, Index: index, Result: results[index]}, true, nil
}
