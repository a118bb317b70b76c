package bus

// admit tells whether a transaction may stand in a block of this height, cheapest
// check first: what it refuses costs its sender nothing and leaves no trace, so
// no honest validator proposes it or votes for a block that has it. reserved is
// what others of the requester's transactions will spend before.
func (m *Machine) admit(l *ledger, s *Signed, reserved Amount) Result {
	switch {
	case s.Network != l.network:
		return refuse(MSBBootstrapMismatch, "Declared network %q is different than %q.", s.Network, l.network)
	case s.Expiry < l.height:
		return refuse(TxExpired, "Transaction has expired.")
	case s.Expiry-l.height > MaxLife:
		return refuse(TxExpiryTooFar, "Expiry %d is more than %d heights after %d.", s.Expiry, MaxLife, l.height)
	case l.settled(s.ID):
		return refuse(TxAlreadyExists, "Transaction with hash %s already exists in the state.", s.ID)
	}
	if refused := l.affords(s, reserved); refused.Code != OK {
		return refused
	}
	return m.proven.verify(s)
}

// affords tells whether the requester can pay the fee.
func (l *ledger) affords(s *Signed, reserved Amount) Result {
	notFound, insufficient := RequesterNotFound, InsufficientFeeBalance
	if s.Body.kind() == KindTransfer {
		notFound, insufficient = TransferSenderNotFound, TransferInsufficientBalance
	}
	account := l.account(s.Requester)
	if !account.exists {
		return refuse(notFound, "Requester address not found in state")
	}
	free, ok := account.Balance.Sub(reserved)
	if !ok || free.Cmp(Fee) < 0 {
		return refuse(insufficient, "Insufficient balance to cover transaction fee.")
	}
	return Result{}
}

// spends is the most a transaction takes from its requester.
func spends(s *Signed) Amount {
	total := Fee
	switch b := s.Body.(type) {
	case Transfer:
		if b.To != s.Requester {
			var ok bool
			if total, ok = total.Add(b.Amount); !ok {
				return MaxAmount
			}
		}
	case AddValidator:
		total, _ = total.Add(Stake)
	}
	return total
}
