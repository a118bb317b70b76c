package intersplit

import (
	"sync"

	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// planning is which plan of a room is wanted. The zero value is the room's own: the
// fewest payments, which stay while they are being paid.
type planning struct {
	mode   PlanMode
	around string // for mode around
}

// plans keeps the room's own plan of each currency until the room changes.
type plans struct {
	making sync.Mutex // one plan is made at a time

	mu   sync.Mutex
	made map[money.Currency]planned
}

// planned is the plan of one currency after so many changes.
type planned struct {
	changes int
	plan    plan.Plan
}

// draft is what a plan is made from. It is taken while the room is looked at, and
// worked on when others may look again.
type draft struct {
	planning
	currency money.Currency
	changes  int
	made     *plan.Plan // before
	before   []ledger.Balance
	paid     []ledger.Transfer
	pairs    plan.Pairs
}

// draft is made with the room's lock held.
func (rm *room) draft(l *ledger.Ledger, c money.Currency, wanted planning) draft {
	d := draft{planning: wanted, currency: c, changes: rm.changes}
	switch wanted.mode {
	case PlanAround:
	case PlanDirect:
		l.EachPosting(c, func(_ *ledger.Entry, moved []ledger.Balance) { d.pairs.Add(open(moved)) })
	default:
		if p, known := rm.plans.recall(c, d.changes); known {
			d.made = &p
		} else {
			d.before, d.paid = l.Tail(c)
		}
	}
	return d
}

// plan makes a plan of a draft. Of many callers one makes the room's own and the
// others wait, since it may take a second's fraction and some megabytes.
func (rm *room) plan(d draft, balances []ledger.Balance) (plan.Plan, error) {
	switch {
	case d.made != nil:
		return *d.made, nil
	case d.mode == PlanAround:
		return plan.Around(open(balances), d.around)
	case d.mode == PlanDirect:
		return d.pairs.Plan(open(balances))
	}
	rm.plans.making.Lock()
	defer rm.plans.making.Unlock()
	if p, known := rm.plans.recall(d.currency, d.changes); known {
		return p, nil
	}
	made, err := stable(d.before, d.paid)
	if err == nil {
		rm.plans.remember(d.currency, planned{changes: d.changes, plan: made})
	}
	return made, err
}

func (p *plans) recall(c money.Currency, changes int) (plan.Plan, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	made, known := p.made[c]
	return made.plan, known && made.changes == changes
}

func (p *plans) remember(c money.Currency, made planned) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, known := p.made[c]; known && before.changes > made.changes {
		return
	}
	if p.made == nil {
		p.made = map[money.Currency]planned{}
	}
	p.made[c] = made
}

// stable is the plan of balances and of the payments since.
func stable(before []ledger.Balance, paid []ledger.Transfer) (plan.Plan, error) {
	payments := make([]plan.Payment, len(paid))
	for i, t := range paid {
		payments[i] = plan.Payment{From: string(t.From), To: string(t.To), Amount: money.SumOf(t.Amount)}
	}
	return plan.Stable(open(before), payments)
}

func open(balances []ledger.Balance) []plan.Balance {
	open := make([]plan.Balance, len(balances))
	for i, b := range balances {
		open[i] = plan.Balance{Member: string(b.Member), Amount: b.Amount}
	}
	return open
}
