package bus

import "intercom/core/identity"

// Fee is what every transaction costs, 0.03 TNK, and its parts (upstream 2.9).
var (
	Fee     = Atomic(30_000_000_000_000_000)
	half    = Atomic(15_000_000_000_000_000)
	quarter = Atomic(7_500_000_000_000_000)
)

// Stake is what a validator puts down: ten fees, 0.3 TNK.
var Stake = Atomic(300_000_000_000_000_000)

// shares says who gets how much of a fee besides what is burned.
type shares struct {
	operator Amount // of the proposer
	deployer Amount
	to       identity.PublicKey // the deployer
}

// table is upstream's distribution. Nobody earns from his own fee: upstream
// forbids a validator to serve itself; here that share is burned.
func (l *ledger) table(requester identity.PublicKey, body Body) shares {
	switch b := body.(type) {
	case Whitelist, Ban:
		return shares{}
	case Contract:
		subnet, deployed := l.deployment(b.Subnet)
		if !deployed || subnet.Deployer == requester {
			return shares{operator: half}
		}
		return shares{operator: half, deployer: quarter, to: subnet.Deployer}
	default:
		threeQuarters, _ := half.Add(quarter)
		return shares{operator: threeQuarters}
	}
}

// charge takes the fee, which the requester has, and distributes it.
func (l *ledger) charge(requester identity.PublicKey, body Body) {
	part := l.table(requester, body)
	l.take(requester, Fee)
	rest := Fee
	pay := func(to identity.PublicKey, amount Amount) {
		if to.IsZero() || to == requester || amount.IsZero() {
			return
		}
		l.give(to, amount)
		rest, _ = rest.Sub(amount)
	}
	pay(l.operator, part.operator)
	pay(part.to, part.deployer)
	l.burn(rest)
}
