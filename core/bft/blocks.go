package bft

import (
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
)

// Block reads a committed block; [fault.NotFound] when there is none of that
// height yet.
func (n *Node) Block(height int64) (Block, error) {
	r, err := n.enter()
	if err != nil {
		return Block{}, err
	}
	defer n.calls.Done()
	n.mu.Lock()
	committed := n.height
	n.mu.Unlock()
	block := r.node.BlockStore().LoadBlock(height)
	if height > committed || block == nil {
		return Block{}, r.gone(height)
	}
	full, err := r.state.LoadFinalizeBlockResponse(height)
	if err != nil || len(full.TxResults) != len(block.Txs) || len(full.AppHash) != len(Hash{}) {
		return Block{}, noBlock(height)
	}
	out := Block{Header: ourHeader(&block.Header), Txs: block.Txs.ToSliceOfBytes(), After: Hash(full.AppHash)}
	for _, res := range full.TxResults {
		out.Results = append(out.Results, ourResult(res))
	}
	return out, nil
}

func (r *running) results(height int64) ([]Result, error) {
	full, err := r.state.LoadFinalizeBlockResponse(height)
	if err != nil {
		return nil, noBlock(height)
	}
	out := make([]Result, len(full.TxResults))
	for i, res := range full.TxResults {
		out[i] = ourResult(res)
	}
	return out, nil
}

func noBlock(height int64) error {
	return fault.New(fault.NotFound, "no block %d here", height).WithHint("wait for it, or ask for a lower one")
}

// ourHeader takes what callers need. The hashes were checked to have the right
// length, or are of our own chain.
func ourHeader(h *types.Header) Header {
	return Header{
		ChainID: h.ChainID, Height: h.Height, Time: h.Time,
		Hash: asHash(h.Hash()), Previous: asHash(h.LastBlockID.Hash), State: asHash(h.AppHash),
		Validators: asHash(h.ValidatorsHash), NextValidators: asHash(h.NextValidatorsHash),
	}
}

func asHash(raw []byte) (h Hash) {
	if len(raw) == len(h) {
		copy(h[:], raw)
	}
	return h
}
