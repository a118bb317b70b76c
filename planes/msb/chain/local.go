package chain

import (
	"context"
	"sync"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// Local reads the network through the node and the application of this process.
// Its state is its own; nobody has to prove it.
func Local(node *bft.Node, app *App) (Ledger, error) {
	settings, err := Settings(node.Genesis())
	if err != nil {
		return nil, err
	}
	l := &local{node: node, app: app, settings: settings, trust: node.Genesis().Trust()}
	l.reads, l.listing = reads{l}, listing{l}
	return l, nil
}

type local struct {
	reads
	listing
	node     *bft.Node
	app      *App
	settings bus.Genesis

	mu    sync.Mutex
	trust bft.Trust
}

func (l *local) Genesis() bft.Genesis  { return l.node.Genesis() }
func (l *local) Settings() bus.Genesis { return l.settings }

// Head is the newest block that is committed here. The first one comes by itself.
func (l *local) Head(ctx context.Context) (bft.Header, error) {
	b, err := l.block(ctx, max(l.app.now().height, 1))
	return b.Header, err
}

func (l *local) state(_ context.Context, height int64, _ ...[]byte) (bus.State, int64, error) {
	if h := l.app.now(); height == newest {
		if h.genesis.IsZero() {
			return bus.State{}, 0, fault.New(fault.Unavailable, "the network %q has not begun here", l.settings.Network).
				WithHint("ask again when its node runs")
		}
		return bus.Read(h.view), h.height, nil
	}
	view, err := l.app.at(height)
	if err != nil {
		return bus.State{}, 0, err
	}
	return bus.Read(view), height, nil
}

func (l *local) tip(context.Context) (int64, error) { return l.app.now().height, nil }

// block waits until the node knows what the application has, which is a moment
// ahead of it.
func (l *local) block(ctx context.Context, height int64) (bft.Block, error) {
	if err := l.node.Await(ctx, height); err != nil {
		return bft.Block{}, err
	}
	return l.node.Block(height)
}

// prove waits for the next block, which carries the result and comes by itself.
func (l *local) prove(ctx context.Context, hash bft.Hash, height int64) (p bft.Proven, raw []byte, err error) {
	if err := l.node.Await(ctx, height+1); err != nil {
		return p, nil, err
	}
	if raw, err = l.node.Prove(hash); err != nil {
		return p, nil, err
	}
	trust, err := l.Trust(ctx)
	if err != nil {
		return p, nil, err
	}
	p, err = bft.Verify(trust, raw)
	return p, raw, err
}

// Submit offers a transaction to the node. Its signature is checked before, here
// where others can do the same at the same time.
func (l *local) Submit(ctx context.Context, tx []byte) (bus.Result, error) {
	if result := l.app.machine.Verify(tx); result.Code != bus.OK {
		return result, nil
	}
	result, err := l.node.Submit(ctx, tx)
	if err != nil {
		return bus.Result{}, err
	}
	return answered(tx, result), nil
}

func (l *local) Wait(ctx context.Context, id bus.ID) (bus.Record, error) { return l.app.wait(ctx, id) }

// Trust goes on from where it stood when it was asked for last.
func (l *local) Trust(context.Context) (bft.Trust, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		updates, err := l.node.Updates(l.trust.Sets[len(l.trust.Sets)-1].From, maxUpdates)
		if err != nil {
			return bft.Trust{}, err
		}
		for _, update := range updates {
			if l.trust, err = bft.Advance(l.trust, update); err != nil {
				return bft.Trust{}, err
			}
		}
		if len(updates) < maxUpdates {
			return l.trust, nil
		}
	}
}

func (l *local) Updates(_ context.Context, from int64) ([][]byte, error) {
	return l.node.Updates(from, maxUpdates)
}

// maxUpdates is how many updates are given at a time.
const maxUpdates = 16

// answered is what a validator said of a transaction.
func answered(tx []byte, r bft.Result) bus.Result {
	result := bus.Result{Code: bus.Code(r.Code), Text: r.Log}
	if s, read := bus.Decode(tx); read.Code == bus.OK {
		result.ID = s.ID
	}
	return result
}
