package bft

import (
	"context"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"

	"intercom/core/fault"
)

// Submit offers a transaction to the chain. Code 0 says that it waits for a
// block, or is known here already: ask [Node.Wait] what became of it. Another
// code is the application's refusal. An error says that nothing is known:
// [fault.Limited] when too much waits, [fault.Unavailable] while the node
// catches up. What waits is lost when the process ends; sending again is
// harmless.
func (n *Node) Submit(ctx context.Context, tx []byte) (Result, error) {
	if _, own := n.cfg.App.(Pool); own {
		panic("bft: an application with a pool of its own calls Wake")
	}
	return n.submit(ctx, tx)
}

func (n *Node) submit(ctx context.Context, tx []byte) (Result, error) {
	if len(tx) == 0 || len(tx) > n.cfg.txBytes() {
		return Result{}, fault.New(fault.Invalid, "a transaction of %d bytes", len(tx)).
			WithHint("one has 1 to %d bytes", n.cfg.txBytes())
	}
	r, err := n.enter()
	if err != nil {
		return Result{}, err
	}
	defer n.calls.Done()
	if r.node.ConsensusReactor().WaitSync() {
		return Result{}, fault.New(fault.Unavailable, "the node catches up with its chain").
			WithHint("send again in a few seconds")
	}
	answer := make(chan Result, 1)
	err = r.node.Mempool().CheckTx(tx, func(res *abci.ResponseCheckTx) {
		answer <- Result{Code: res.Code, Data: res.Data, Log: res.Log}
	}, mempool.TxInfo{})
	var full mempool.ErrMempoolIsFull
	switch {
	case errors.Is(err, mempool.ErrTxInCache):
		return Result{}, nil
	case errors.As(err, &full), errors.Is(err, mempool.ErrRecheckFull):
		return Result{}, fault.New(fault.Limited, "too many transactions wait: %w", err).
			WithHint("send again after the next block")
	case err != nil:
		return Result{}, fault.New(fault.Unavailable, "the transaction was not taken: %w", err).
			WithHint("send again")
	}
	select {
	case result := <-answer:
		return result, nil
	case <-ctx.Done():
		return Result{}, fmt.Errorf("offering a transaction: %w", ctx.Err())
	}
}

// Wake tells an engine whose application keeps its own pool that something may
// be pending. It never blocks and may be called under any lock.
func (n *Node) Wake() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// keepAwake puts the wake transaction into the engine's pool until it is there
// or nothing is pending. The application's lock is never held here.
func (n *Node) keepAwake(ctx context.Context, r *running) {
	pool, own := n.cfg.App.(Pool)
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		for own && pool.Pending() && ctx.Err() == nil {
			err := r.node.Mempool().CheckTx(wakeTx, nil, mempool.TxInfo{})
			if err == nil || errors.Is(err, mempool.ErrTxInCache) {
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
}
