package bft

import (
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
)

// SignedHeader is the header of that height with the signatures on it, for
// [VerifyHeader].
func (n *Node) SignedHeader(height int64) ([]byte, error) {
	r, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Done()
	signed, err := r.signed(height)
	if fault.KindOf(err) == fault.NotFound && height == 1 { // everybody asks for it
		if first, ok, err := n.journal.space.Get(firstKey); ok || err != nil {
			return first, err
		}
	}
	return signed, err
}

func (r *running) signed(height int64) ([]byte, error) {
	if height < 1 {
		return nil, noBlock(height)
	}
	meta := r.node.BlockStore().LoadBlockMeta(height)
	commit := r.node.BlockStore().LoadBlockCommit(height)
	if commit == nil { // of the newest block: what was seen here
		commit = r.node.BlockStore().LoadSeenCommit(height)
	}
	if meta == nil || commit == nil {
		return nil, noBlock(height)
	}
	return encodeSigned(&meta.Header, commit)
}

// Updates are the changes of validators announced by headers from that height
// on, oldest first and at most limit, for [Advance].
func (n *Node) Updates(from int64, limit int) ([][]byte, error) {
	r, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Done()
	heights, err := n.journal.changes(max(from, 1), limit)
	if err != nil {
		return nil, err
	}
	var updates [][]byte
	for _, height := range heights {
		update, err := n.update(r, height)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			return updates, nil // not yet there
		case err != nil:
			return nil, err
		case update != nil:
			updates = append(updates, update)
		}
	}
	return updates, nil
}

// update is the change that a header announces, nil when it announces none:
// from its block, or as it was kept when that went.
func (n *Node) update(r *running, height int64) ([]byte, error) {
	if kept, ok, err := n.journal.space.Get(updateKey(height)); ok || err != nil {
		return kept, err
	}
	return r.update(height)
}

func (r *running) update(height int64) ([]byte, error) {
	meta := r.node.BlockStore().LoadBlockMeta(height)
	if meta == nil {
		return nil, noBlock(height)
	}
	if string(meta.Header.NextValidatorsHash) == string(meta.Header.ValidatorsHash) {
		return nil, nil
	}
	signed, err := r.signed(height)
	if err != nil {
		return nil, err
	}
	next, err := r.state.LoadValidators(height + 1)
	if err != nil {
		return nil, noBlock(height + 1)
	}
	return encodeUpdate(signed, ourSet(next)), nil
}

// Prove makes the proof of a transaction and its result, for [Verify]. It is
// [fault.NotFound] until the block after the one that holds it is there.
func (n *Node) Prove(hash Hash) ([]byte, error) {
	r, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Done()
	height, index, ok, err := n.journal.find(hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "no transaction %s in this chain", hash).WithHint("wait for it, or send it again")
	}
	block := r.node.BlockStore().LoadBlock(height)
	if block == nil {
		return nil, noBlock(height)
	}
	next, err := r.signed(height + 1)
	if err != nil {
		return nil, err
	}
	full, err := r.state.LoadFinalizeBlockResponse(height)
	if err != nil {
		return nil, noBlock(height)
	}
	return encodeProof(block, index, types.NewResults(full.TxResults), next)
}
