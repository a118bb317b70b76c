package chain

import (
	"context"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// blocks is where a ledger reads whole blocks and the proofs of what is in them.
type blocks interface {
	tip(ctx context.Context) (int64, error)
	block(ctx context.Context, height int64) (bft.Block, error)
	prove(ctx context.Context, hash bft.Hash, height int64) (p bft.Proven, raw []byte, err error)
	Record(ctx context.Context, id bus.ID) (r bus.Record, settled bool, at int64, err error)
}

// listing are the questions that both ledgers answer from blocks.
type listing struct{ from blocks }

// maxVisited is how many blocks one call reads at most.
const maxVisited = 200

// Txs lists settled transactions.
func (l listing) Txs(ctx context.Context, from Place, to int64, limit int) (list []Listed, next Place, err error) {
	if from.Height < 0 || from.Index < 0 || to < 0 || limit < 1 {
		return nil, next, fault.New(fault.Invalid, "transactions from %d/%d to %d, at most %d", from.Height, from.Index, to, limit).
			WithHint("heights begin with 1, and the limit is 1 to %d", MaxListed)
	}
	limit = min(limit, MaxListed)
	tip, err := l.from.tip(ctx)
	if err != nil {
		return nil, next, err
	}
	if to == 0 || to > tip {
		to = tip
	}
	from.Height = max(from.Height, 1)
	for end := from.Height + maxVisited; from.Height <= to && from.Height < end; from = (Place{Height: from.Height + 1}) {
		b, err := l.from.block(ctx, from.Height)
		if err != nil {
			return nil, next, err
		}
		for ; from.Index < len(b.Txs); from.Index++ {
			if len(list) == limit {
				return list, from, nil
			}
			if listed, ok := listedOf(b, from.Index); ok {
				list = append(list, listed)
			}
		}
	}
	if from.Height > to {
		from = Place{}
	}
	return list, from, nil
}

// listedOf is a transaction of a block. One that is no transaction of the bus was
// forced into it by more than 2/3 of the votes, and has not settled.
func listedOf(b bft.Block, index int) (Listed, bool) {
	tx, result := bus.Decode(b.Txs[index])
	if result.Code != bus.OK || index >= len(b.Results) {
		return Listed{}, false
	}
	return Listed{
		Place: Place{b.Height, index}, Time: b.Time, Tx: tx,
		Code: bus.Code(b.Results[index].Code), Raw: b.Txs[index],
	}, true
}

// Prove makes the proof of a settled transaction.
func (l listing) Prove(ctx context.Context, id bus.ID) (p bft.Proven, raw []byte, err error) {
	r, settled, at, err := l.from.Record(ctx, id)
	if err != nil {
		return p, nil, err
	}
	if !settled {
		return p, nil, fault.New(fault.NotFound, "transaction %s is not settled at height %d", id, at).WithHint("wait for it, or send it again")
	}
	b, err := l.from.block(ctx, int64(r.Height))
	if err != nil {
		return p, nil, err
	}
	for _, tx := range b.Txs {
		if s, result := bus.Decode(tx); result.Code == bus.OK && s.ID == id {
			return l.from.prove(ctx, bft.TxHash(tx), b.Height)
		}
	}
	return p, nil, fault.New(fault.Internal, "block %d does not hold transaction %s", r.Height, id)
}
