package validator

import (
	"context"
	"slices"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
)

// How long a newcomer looks for a state before it replays the blocks instead. A
// validator of the genesis may be one of the first, who wait for each other.
const (
	joinPatience    = 2 * time.Minute
	founderPatience = 10 * time.Second
)

// join takes the newest state over when the node has none and validators were
// named: whatever is proven need not be replayed. It waits for somebody to
// answer, but not for ever, for blocks come by another way.
func (n *Node) join(ctx context.Context) error {
	if len(n.cfg.Settlement.Validators) == 0 {
		return nil
	}
	f, err := bft.NewFollower(bft.FollowerConfig{Genesis: n.genesis, Servers: n.servers, Patience: 10 * time.Second, Log: n.log})
	if err != nil {
		return err
	}
	patience := joinPatience
	if slices.ContainsFunc(n.genesis.Validators, func(v bft.Validator) bool { return v.Key == n.node.Key() }) {
		patience = founderPatience
	}
	for end := time.Now().Add(patience); ; {
		height, err := n.node.Join(ctx, f)
		switch {
		case err == nil && height > 0:
			n.log.Info("began at a proven state", "height", height)
			return nil
		case err == nil || ctx.Err() != nil:
			return nil
		case fault.KindOf(err) == fault.Conflict:
			return err
		case time.Now().After(end):
			n.log.Warn("no state was taken over; the blocks are replayed", "err", err)
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}
