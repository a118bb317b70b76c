package bft

import (
	"intercom/core/fault"
)

// The pace of forgetting old blocks: some at a time, so that it is cheap, and a
// bound on how many at once, so that a chain whose Keep was lowered does not
// stand still.
const (
	MinKeep   = 100 // fewer, and a node that was away for a moment finds nobody to catch up from
	pruneStep = 16
	pruneMost = 256
)

// retain tells the engine the lowest height whose block is still wanted after a
// commit, 0 for all. What goes with the blocks is forgotten here; what others
// need for ever, header 1 and the changes of validators, is put aside first.
func (n *Node) retain(height int64) int64 {
	keep := n.cfg.Keep
	if keep <= 0 || height <= keep {
		return 0
	}
	r, err := n.enter()
	if err != nil { // old blocks are executed again
		return 0
	}
	defer n.calls.Done()
	base := max(r.node.BlockStore().Base(), 1)
	to := min(height-keep, base+pruneMost)
	if to < base+pruneStep {
		return 0
	}
	if err := n.putAside(r, base, to); err != nil {
		n.log.Warn("old blocks are not forgotten", "from", base, "to", to, "err", err)
		return 0
	}
	return to
}

func (n *Node) putAside(r *running, from, to int64) error {
	b := n.journal.space.Batch()
	if from == 1 {
		first, err := r.signed(1)
		if err != nil {
			return err
		}
		b.Set(firstKey, first)
	}
	changed, err := n.journal.changes(from, pruneMost)
	if err != nil {
		return err
	}
	for _, height := range changed {
		if height >= to {
			break
		}
		update, err := n.update(r, height)
		if err != nil {
			return err
		}
		if update != nil {
			b.Set(updateKey(height), update)
		}
	}
	for height := from; height < to; height++ {
		block := r.node.BlockStore().LoadBlock(height)
		if block == nil {
			continue
		}
		for _, tx := range block.Txs {
			hash := TxHash(tx)
			at, _, ok, err := n.journal.find(hash)
			if err != nil {
				return err
			}
			if ok && at < to {
				b.Delete(txKey(hash))
			}
		}
	}
	return b.Apply()
}

// gone explains a block that is not here.
func (r *running) gone(height int64) error {
	if base := r.node.BlockStore().Base(); height > 0 && height < base {
		return fault.New(fault.NotFound, "block %d is no longer here, the oldest is %d", height, base).
			WithHint("ask a node that keeps all blocks")
	}
	return noBlock(height)
}
