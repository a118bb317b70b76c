package bft

import (
	"context"

	"intercom/core/fault"
	"intercom/core/store"
)

// Resume lets a [Replica] begin behind a block that it never saw, whose state was
// fetched from somebody: it verifies that this state is the one the chain's
// validators signed after the block of that height, and writes into the replica's
// space what [NewReplica] goes on from. next is the set of validators that the
// state wants. It is [fault.Invalid] when state or set are not the chain's, and
// [fault.NotFound] while the block after that one is not there.
func (f *Follower) Resume(ctx context.Context, height int64, state Hash, next []Validator, space *store.Space) error {
	h, err := f.Header(ctx, height+1)
	if err != nil {
		return err
	}
	if h.State != state {
		return fault.New(fault.Invalid, "after block %d the state is %s, not %s", height, h.State, state).
			WithHint("whoever sent it is wrong or lies; ask another")
	}
	f.mu.Lock()
	raw, trust := f.seen[h.Height].signed, f.trust
	f.mu.Unlock()
	sh, err := trust.open(raw)
	if err != nil {
		return err
	}
	if checkSet(next) != nil || string(engineSet(next).Hash()) != string(sh.NextValidatorsHash) {
		return fault.New(fault.Invalid, "the state after block %d wants other validators than the chain has", height).
			WithHint("report it; follow the chain from its beginning")
	}
	if err := (journal{space}).bind(f.cfg.Genesis.Hash()); err != nil {
		return err
	}
	now, _ := trust.at(h.Height)
	return position{
		Height: height, Hash: h.Previous, State: state, Results: asHash(sh.LastResultsHash),
		Now: now.Validators, Next: sorted(next),
	}.save(space, trust)
}
