package bus

import "intercom/core/merkle"

// A Machine executes blocks. It holds no state but a memory of signatures that it
// verified; it may be used from any goroutine.
type Machine struct{ proven proven }

// NewMachine makes a machine.
func NewMachine() *Machine { return new(Machine) }

// A Block is what the validators agreed on.
type Block struct {
	Height   uint64
	Proposer EngineAddress
	Txs      [][]byte
	Guilty   []EngineAddress // proven to have signed two blocks of one height
}

func (b *Block) empty() bool { return len(b.Txs) == 0 && len(b.Guilty) == 0 }

// An Outcome is what a block did.
type Outcome struct {
	Results []Result // one for each transaction
	Changes []Change // of the validators: one difference for the whole block
	Root    merkle.Hash
}

// Execute carries a block out on the state in the update, which the caller then
// writes. An error is one of the disk: the update is to be dropped, and the node
// must not go on.
func (m *Machine) Execute(u *merkle.Update, b Block) (Outcome, error) {
	out := Outcome{Results: make([]Result, len(b.Txs))}
	if !b.empty() {
		l := m.begin(u, b)
		before := l.seats
		for i, raw := range b.Txs {
			out.Results[i] = m.execute(l, raw)
		}
		for _, address := range b.Guilty {
			l.punish(address)
		}
		if err := l.flush(u); err != nil {
			return Outcome{}, err
		}
		out.Changes = differences(before, l.seats)
	}
	var err error
	out.Root, err = u.Root()
	return out, err
}

// begin opens the state for a block.
func (m *Machine) begin(from Source, b Block) *ledger {
	l := open(from, b.Height)
	if s, ok := l.seat(b.Proposer); ok {
		l.operator = s.Operator
	}
	return l
}

// execute carries out one transaction: refused without a trace, or settled with
// its fee paid, and then done or failed.
func (m *Machine) execute(l *ledger, raw []byte) Result {
	s, result := Decode(raw)
	if result.Code != OK {
		return result
	}
	if result = m.admit(l, s, Amount{}); result.Code == OK {
		var do func()
		result, do = l.plan(s.Requester, s.ID, s.Body)
		l.charge(s.Requester, s.Body)
		if result.Code == OK {
			do()
		}
		l.records[s.ID] = Record{l.height, result.Code}
		result.Settled = true
	}
	result.ID = s.ID
	return result
}

// Select gives those of the block's transactions that a proposal may hold, in
// their order and within that many bytes: each can be settled after those before
// it. The state is only read.
func (m *Machine) Select(from Source, b Block, maxBytes int64) ([][]byte, error) {
	l := m.begin(from, b)
	chosen := make([][]byte, 0, len(b.Txs))
	for _, raw := range b.Txs {
		size := int64(len(raw)) + txOverhead
		if size > maxBytes {
			continue // a smaller one may fit
		}
		if m.execute(l, raw).Settled {
			chosen = append(chosen, raw)
			maxBytes -= size
		}
	}
	return chosen, l.err
}

// txOverhead is what the engine's encoding of a block adds to a transaction at most.
const txOverhead = 8

// Accepts tells whether a proposal may be voted for: every transaction in it can
// be settled. The state is only read.
func (m *Machine) Accepts(from Source, b Block) (bool, error) {
	l := m.begin(from, b)
	for _, raw := range b.Txs {
		if !m.execute(l, raw).Settled {
			return false, l.err
		}
	}
	return l.err == nil, l.err
}

// Check tells what would become of a transaction alone in the next block: what a
// dry run says.
func (m *Machine) Check(from Source, next uint64, raw []byte) (Result, error) {
	l := open(from, next)
	result := m.execute(l, raw)
	result.Settled = false
	return result, l.err
}

// Verify reads a transaction and checks its signatures, whatever the state. What
// holds is remembered, so that all else that the machine does with these bytes is
// quick: many may verify at a time where only one may execute.
func (m *Machine) Verify(raw []byte) Result {
	s, result := Decode(raw)
	if result.Code != OK {
		return result
	}
	result = m.proven.verify(s)
	result.ID = s.ID
	return result
}
