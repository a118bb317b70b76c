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
	t, err := m.Try(u, b)
	if err != nil {
		return Outcome{}, err
	}
	return t.Write(u, b.Guilty)
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
