package bus

import (
	"sync"

	"intercom/core/identity"
)

// A Pool is what waits for a block: it admits transactions, each beside all the
// others of its requester in any order, and reserves what they will spend, so
// that what waits can be paid. It mirrors the engine's mempool, which asks it
// about each transaction once, and about those that remain after each block.
type Pool struct {
	machine *Machine
	limit   int

	mu       sync.Mutex
	round    uint64  // counts blocks
	from     Source  // of the ledger
	ledger   *ledger // read so far in this round
	waiting  map[ID]*waiting
	accounts map[identity.PublicKey]*reserved
}

// waiting is a transaction in the pool.
type waiting struct {
	tx     *Signed
	spends Amount
	seen   uint64 // the round in which the engine last asked about it
}

// reserved is what the waiting transactions of an account will spend.
type reserved struct {
	total Amount
	count int
	again Amount // of those that the engine asked about in this round
	round uint64
}

// NewPool makes a pool of at most limit transactions, half of them of one
// account. When it is full it answers NODE_OVERLOADED.
func NewPool(machine *Machine, limit int) *Pool {
	return &Pool{
		machine: machine, limit: limit,
		waiting: make(map[ID]*waiting), accounts: make(map[identity.PublicKey]*reserved),
	}
}

// Admit asks about a transaction that the engine has not got: OK, and then it
// waits and its spending is reserved, or the reason why not. The source is a view
// of the newest state, the same one between two blocks; next is the height of the
// next block on it.
func (p *Pool) Admit(from Source, next uint64, raw []byte) (Result, error) {
	s, result := Decode(raw)
	if result.Code != OK {
		return result, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	result, err := p.admit(from, next, s)
	result.ID = s.ID
	return result, err
}

func (p *Pool) admit(from Source, next uint64, s *Signed) (Result, error) {
	held := p.accounts[s.Requester]
	if held == nil {
		held = &reserved{}
	}
	switch {
	case p.waiting[s.ID] != nil:
		return refuse(TxAlreadyPending, "Transaction with hash %s is already pending.", s.ID), nil
	case len(p.waiting) >= p.limit || held.count >= max(p.limit/2, 1):
		return refuse(NodeOverloaded, "%d transactions are pending, %d of them of this account.", len(p.waiting), held.count), nil
	}
	l := p.open(from, next)
	result := p.machine.admit(l, s, held.total)
	if result.Code == OK {
		// Funds first as they are, so that the code says what is wrong, then
		// besides what is reserved.
		if result, _ = l.plan(s.Requester, s.ID, s.Body); result.Code == OK {
			result = held.fits(l.account(s.Requester).Balance, s)
		}
	}
	if l.err != nil || result.Code != OK {
		return result, l.err
	}
	w := &waiting{tx: s, spends: spends(s), seen: p.round}
	held.total, _ = held.total.Add(w.spends)
	held.count++
	p.waiting[s.ID], p.accounts[s.Requester] = w, held
	return result, nil
}

// maxRead bounds the accounts that are kept read between two blocks.
const maxRead = 10_000

// open gives the state to ask, which is read once and not for each transaction.
func (p *Pool) open(from Source, next uint64) *ledger {
	if l := p.ledger; l == nil || l.err != nil || p.from != from || l.height != next || len(l.accounts) > maxRead {
		p.from, p.ledger = from, open(from, next)
	}
	return p.ledger
}

// fits tells whether the account can spend this besides what is reserved.
func (r *reserved) fits(balance Amount, s *Signed) Result {
	sum, ok := r.total.Add(spends(s))
	if ok && sum.Cmp(balance) <= 0 {
		return Result{}
	}
	code := InsufficientFeeBalance
	if s.Body.kind() == KindTransfer {
		code = TransferInsufficientBalance
	}
	return refuse(code, "Insufficient balance: %s TNK of %s TNK are reserved for %d pending transactions.", r.total, balance, r.count)
}

// Committed tells what a block held. Transactions that the engine has not asked
// about since the block before are no longer in its mempool and go as well.
func (p *Pool) Committed(results []Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range results {
		p.remove(r.ID)
	}
	for id, w := range p.waiting {
		if w.seen < p.round {
			p.remove(id)
		}
	}
	p.round++
	p.from, p.ledger = nil, nil
}

func (p *Pool) remove(id ID) {
	w := p.waiting[id]
	if w == nil {
		return
	}
	delete(p.waiting, id)
	held := p.accounts[w.tx.Requester]
	held.total, _ = held.total.Sub(w.spends)
	if held.count--; held.count == 0 {
		delete(p.accounts, w.tx.Requester)
	}
}

// Remain asks about a transaction that the engine still has after a block, in the
// order in which it has them. One that is not OK is forgotten here as there.
func (p *Pool) Remain(from Source, next uint64, raw []byte) (Result, error) {
	s, result := Decode(raw)
	if result.Code != OK {
		return result, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.waiting[s.ID]
	if w == nil { // after a start, or when it was given up here
		result, err := p.admit(from, next, s)
		result.ID = s.ID
		return result, err
	}
	result, err := p.remain(from, next, w)
	if result.Code != OK {
		p.remove(s.ID)
	}
	result.ID = s.ID
	return result, err
}

// remain goes through what a block can have changed for a waiting transaction. It
// goes only when it can never be settled, or cannot pay its fee: one that would now
// fail stays, so that its requester gets a proof of that, and pays for it, and does
// not wait for its expiry on a network that makes no blocks.
func (p *Pool) remain(from Source, next uint64, w *waiting) (Result, error) {
	l := p.open(from, next)
	held := p.accounts[w.tx.Requester]
	if held.round != p.round {
		held.round, held.again = p.round, Amount{}
	}
	result := p.machine.admit(l, w.tx, held.again)
	if l.err != nil || result.Code != OK {
		return result, l.err
	}
	takes, before := w.spends, reserved{total: held.again, count: held.count}
	if before.fits(l.account(w.tx.Requester).Balance, w.tx).Code != OK {
		takes = Fee // all that is left of it
	}
	held.again, _ = held.again.Add(takes)
	w.seen = p.round
	return result, nil
}

// Pending tells how many transactions of an account wait, and what they reserve.
func (p *Pool) Pending(account identity.PublicKey) (count int, reserved Amount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held := p.accounts[account]; held != nil {
		return held.count, held.total
	}
	return 0, Amount{}
}

// Waiting gives a transaction that waits, or nil.
func (p *Pool) Waiting(id ID) *Signed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.waiting[id]; w != nil {
		return w.tx
	}
	return nil
}
