package bus

import (
	"bytes"
	"slices"

	"intercom/core/merkle"
)

// A Trial is a block carried out in memory, over a state that it only reads. Who
// proposes a block, or judges one, has done the work of executing it.
type Trial struct {
	block   Block
	ledger  *ledger
	before  []Seat
	results []Result
	settled int
}

func (m *Machine) trial(from Source, b Block) *Trial {
	l := m.begin(from, b)
	return &Trial{block: b, ledger: l, before: l.seats}
}

// do carries out one more transaction; one that is refused leaves no trace.
func (t *Trial) do(m *Machine, raw []byte) (settled bool) {
	result := m.execute(t.ledger, raw)
	t.results = append(t.results, result)
	if result.Settled {
		t.settled++
	}
	return result.Settled
}

// Try carries a block out.
func (m *Machine) Try(from Source, b Block) (*Trial, error) {
	t := m.trial(from, b)
	t.results = make([]Result, 0, len(b.Txs))
	for _, raw := range b.Txs {
		t.do(m, raw)
	}
	return t, t.ledger.err
}

// Pick carries out those of the block's transactions that a proposal may hold, in
// their order and within that many bytes: each can be settled after those before
// it. They are the trial's block.
func (m *Machine) Pick(from Source, b Block, maxBytes int64) (*Trial, error) {
	waiting := b.Txs
	b.Txs = make([][]byte, 0, len(waiting))
	t := m.trial(from, b)
	for _, raw := range waiting {
		size := int64(len(raw)) + txOverhead
		if size > maxBytes {
			continue // a smaller one may fit
		}
		if t.do(m, raw) {
			t.block.Txs = append(t.block.Txs, raw)
			maxBytes -= size
		} else {
			t.results = t.results[:len(t.results)-1]
		}
	}
	return t, t.ledger.err
}

// txOverhead is what the engine's encoding of a block adds to a transaction at most.
const txOverhead = 8

// Txs are the transactions of the block.
func (t *Trial) Txs() [][]byte { return t.block.Txs }

// Settles tells whether every transaction was settled: then the block may be
// voted for.
func (t *Trial) Settles() bool { return t.ledger.err == nil && t.settled == len(t.block.Txs) }

// Of tells whether it is the trial of this block on the same state. Who is guilty
// does not matter until it is written.
func (t *Trial) Of(b Block) bool {
	return t.block.Height == b.Height && t.block.Proposer == b.Proposer && slices.EqualFunc(t.block.Txs, b.Txs, bytes.Equal)
}

// Write punishes the guilty and puts what the block did into an update of the
// state that was read. A trial is written once; after an error, which is one of
// the disk, the node must not go on.
func (t *Trial) Write(u *merkle.Update, guilty []EngineAddress) (Outcome, error) {
	out := Outcome{Results: t.results}
	if len(t.block.Txs) > 0 || len(guilty) > 0 {
		for _, address := range guilty {
			t.ledger.punish(address)
		}
		if err := t.ledger.flush(u); err != nil {
			return Outcome{}, err
		}
		out.Changes = differences(t.before, t.ledger.seats)
	}
	var err error
	out.Root, err = u.Root()
	return out, err
}
