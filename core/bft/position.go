package bft

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"

	"intercom/core/fault"
	"intercom/core/store"
)

// position is where a replica stands: all it needs to verify the next block.
type position struct {
	Height  int64       `json:"height"`
	Hash    Hash        `json:"hash"`    // of the newest header
	State   Hash        `json:"state"`   // the application's, after that block
	Results Hash        `json:"results"` // of that block
	Now     []Validator `json:"now"`     // who signs the next block
	Next    []Validator `json:"next"`    // who signs the one after
}

// after is the position behind one more block.
func (p position) after(h Header, done Executed) position {
	next := position{Height: h.Height, Hash: h.Hash, State: done.State, Results: resultsHash(done.Results), Now: p.Next, Next: p.Next}
	if done.Validators != nil && checkSet(done.Validators) == nil {
		next.Next = sorted(done.Validators)
	}
	return next
}

// position is where a replica stands that landed there.
func (l *landing) position() position {
	now, _ := l.trust.at(l.height() + 1)
	next, _ := l.trust.at(l.height() + 2)
	return position{
		Height: l.height(), Hash: asHash(l.at.Hash()), State: l.state(), Results: asHash(l.next.LastResultsHash),
		Now: now.Validators, Next: next.Validators,
	}
}

func positionKey(height int64) []byte {
	return binary.BigEndian.AppendUint64([]byte("p"), uint64(height))
}

// voterKey remembers every validator by the engine's address.
func voterKey(address []byte) []byte { return append([]byte("v"), address...) }

// save writes the position before the application commits the block; the one
// before stays, for a process that ends in between. A trust that is given names
// validators of before.
func (p position) save(space *store.Space, before Trust) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	b := space.Batch()
	b.Set(positionKey(p.Height), raw)
	if !slices.Equal(p.Now, p.Next) {
		for _, v := range p.Next {
			b.Set(voterKey(engineKey(v.Key).Address()), v.Key[:])
		}
	}
	for _, set := range before.Sets {
		for _, v := range set.Validators {
			b.Set(voterKey(engineKey(v.Key).Address()), v.Key[:])
		}
	}
	if p.Height > 2 {
		b.Delete(positionKey(p.Height - 2))
	}
	return b.Apply()
}

func loadPosition(space *store.Space, height int64) (position, error) {
	raw, ok, err := space.Get(positionKey(height))
	if err != nil {
		return position{}, err
	}
	var p position
	if !ok || json.Unmarshal(raw, &p) != nil || p.Height != height || checkSet(p.Now) != nil || checkSet(p.Next) != nil {
		return position{}, fault.New(fault.Conflict, "what is known of block %d is gone", height).
			WithHint("begin with a new store")
	}
	return p, nil
}

// EncodedBlock is a block with its header, signatures and transactions, for
// [Replica.Apply].
func (n *Node) EncodedBlock(height int64) ([]byte, error) {
	r, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Done()
	signed, err := r.signed(height)
	if err != nil {
		return nil, err
	}
	block := r.node.BlockStore().LoadBlock(height)
	if block == nil {
		return nil, noBlock(height)
	}
	return encodeBlock(block, signed)
}

// Ask asks a server for the next block and applies it; [fault.NotFound] when
// the server has none yet.
func (r *Replica) Ask(ctx context.Context, s Server) (Block, error) {
	raw, err := s.ask(ctx, askBlock, askHeight(r.at.Height+1))
	if err != nil {
		return Block{}, err
	}
	return r.Apply(raw)
}
