package chain

import (
	"context"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// Remote reads the network through a light client of its chain. It believes the
// genesis and what follows from it; which servers there are, and what happens to
// those that lie, is the follower's configuration.
func Remote(f *bft.Follower, g bft.Genesis) (Ledger, error) {
	settings, err := Settings(g)
	if err != nil {
		return nil, err
	}
	r := &remote{follower: f, genesis: g, settings: settings}
	r.reads, r.listing = reads{r}, listing{r}
	r.poll = poll{turn: make(chan struct{}, 1), fresh: make(chan struct{}, 1), records: r.Records}
	return r, nil
}

type remote struct {
	reads
	listing
	follower *bft.Follower
	genesis  bft.Genesis
	settings bus.Genesis
	poll     poll
}

func (r *remote) Genesis() bft.Genesis  { return r.genesis }
func (r *remote) Settings() bus.Genesis { return r.settings }

// Head is the newest header that any of the servers proves now.
func (r *remote) Head(ctx context.Context) (bft.Header, error) { return r.follower.Sync(ctx) }

// state asks for leaves under one verified header: of the newest block, whose
// header carries the state after the block before it, or of the block after the
// height that is wanted.
func (r *remote) state(ctx context.Context, height int64, keys ...[]byte) (bus.State, int64, error) {
	header, err := r.follower.Sync(ctx)
	if err == nil && height != newest {
		if height >= header.Height {
			return bus.State{}, 0, fault.New(fault.NotFound, "the state of height %d is not proven, the newest is %d", height, header.Height-1).
				WithHint("ask for one up to the newest")
		}
		header, err = r.follower.Header(ctx, height+1)
	}
	if err != nil {
		return bus.State{}, 0, err
	}
	at := header.Height - 1
	raw, err := r.follower.QueryAt(ctx, header, queryLeaves, encodeQuestion(at, keys), func(answer []byte) error {
		_, err := verifyAnswer(header.State, keys, answer)
		return err
	})
	if err != nil {
		return bus.State{}, 0, err
	}
	found, err := verifyAnswer(header.State, keys, raw)
	return bus.Read(found), at, err
}

// tip is the newest block whose results are proven, by the header after it.
func (r *remote) tip(ctx context.Context) (int64, error) {
	header, err := r.follower.Sync(ctx)
	return header.Height - 1, err
}

func (r *remote) block(ctx context.Context, height int64) (bft.Block, error) {
	return r.follower.Block(ctx, height)
}

func (r *remote) prove(ctx context.Context, hash bft.Hash, _ int64) (bft.Proven, []byte, error) {
	return r.follower.Prove(ctx, hash)
}

// Submit offers a transaction to all servers: whoever gives it to the others, it
// is one transaction.
func (r *remote) Submit(ctx context.Context, tx []byte) (bus.Result, error) {
	result, err := r.follower.Submit(ctx, tx)
	if err != nil {
		return bus.Result{}, err
	}
	return answered(tx, result), nil
}

func (r *remote) Wait(ctx context.Context, id bus.ID) (bus.Record, error) {
	return r.poll.wait(ctx, id)
}

func (r *remote) Trust(ctx context.Context) (bft.Trust, error) {
	_, err := r.follower.Sync(ctx)
	return r.follower.Trust(), err
}

func (r *remote) Updates(ctx context.Context, from int64) ([][]byte, error) {
	return r.follower.Updates(ctx, from)
}
