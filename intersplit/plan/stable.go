package plan

import "slices"

// maxAnew is how many new plans one call of [Stable] makes on its way. Payments
// that follow no plan more often than that leave the plan of what they leave open.
const maxAnew = 32

// Stable is a room's plan while it is being paid. before is the balances behind
// the last entry that is no payment, paid the payments since, in order. A payment
// that is exactly a line of the plan at that moment is crossed off, and the other
// lines stay as they are; any other payment makes a new plan. What is left of a
// least plan is a least plan.
func Stable(before []Balance, paid []Payment) (Plan, error) {
	state := stable{balances: slices.Clone(before), at: make(map[string]int, len(before))}
	for i, b := range state.balances {
		state.at[b.Member] = i
	}
	for _, p := range paid {
		if err := state.take(p); err != nil {
			return Plan{}, err
		}
	}
	if state.plan != nil && state.anew <= maxAnew {
		return *state.plan, nil
	}
	return Settle(state.balances)
}

type stable struct {
	balances []Balance
	at       map[string]int // where a member's balance is
	plan     *Plan          // of balances; nil until it is asked for
	anew     int            // how many plans were made
}

func (s *stable) take(p Payment) error {
	line := -1
	if s.mayBeLine(p) && s.anew <= maxAnew {
		if err := s.make(); err != nil {
			return err
		}
		line = slices.Index(s.plan.Payments, p)
	}
	s.move(p.From, p, 1)
	s.move(p.To, p, -1)
	if line < 0 {
		s.plan = nil
		return nil
	}
	s.plan.Payments = slices.Delete(s.plan.Payments, line, line+1)
	s.plan.LowerBound--
	return nil
}

// mayBeLine spares a plan for what no plan holds: a payment by who owes less, or
// to who is owed less.
func (s *stable) mayBeLine(p Payment) bool {
	from, debtor := s.at[p.From]
	to, creditor := s.at[p.To]
	return debtor && creditor && p.Amount.Sign() > 0 &&
		s.balances[from].Amount.Plus(p.Amount).Sign() <= 0 && s.balances[to].Amount.Minus(p.Amount).Sign() >= 0
}

func (s *stable) make() error {
	if s.plan != nil {
		return nil
	}
	s.anew++
	made, err := Settle(s.balances)
	s.plan = &made
	return err
}

func (s *stable) move(member string, p Payment, sign int) {
	i, known := s.at[member]
	if !known {
		i = len(s.balances)
		s.at[member] = i
		s.balances = append(s.balances, Balance{Member: member})
	}
	if sign > 0 {
		s.balances[i].Amount = s.balances[i].Amount.Plus(p.Amount)
	} else {
		s.balances[i].Amount = s.balances[i].Amount.Minus(p.Amount)
	}
}
