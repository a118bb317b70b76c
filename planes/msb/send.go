package msb

import (
	"context"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
	"intercom/planes/msb/outbox"
)

// send makes a transaction of this peer and puts it into the outbox, from where
// it goes out by itself. The same key and the same body give the transaction of
// the first time, whatever the balance is now. What the balance is known not to
// cover is refused.
func (n *network) send(ctx context.Context, body bus.Body, key string) (outbox.Entry, error) {
	content := (&bus.Tx{Network: n.settings.Network, Body: body}).Preimage()
	return n.outbox.Put(ctx, key, content, func() (*bus.Signed, error) { return n.prepare(ctx, body) })
}

// prepare makes and signs a transaction, which lives from now on.
func (n *network) prepare(ctx context.Context, body bus.Body) (*bus.Signed, error) {
	if err := n.firstFunds(ctx); err != nil {
		return nil, err
	}
	_, at, err := n.covers(ctx, body)
	if err != nil {
		return nil, err
	}
	tx := bus.Tx{Network: n.settings.Network, Nonce: bus.NewNonce(), Expiry: uint64(at) + outbox.Life, Body: body}
	return tx.Sign(n.plane.cfg.Signer), nil
}

// costs is the most that a transaction takes from the one who sends it, and
// whether there can be so much.
func costs(body bus.Body, from identity.PublicKey) (bus.Amount, bool) {
	switch b := body.(type) {
	case bus.Transfer:
		if b.To != from {
			return b.Amount.Add(bus.Fee)
		}
	case bus.AddValidator:
		return bus.Stake.Add(bus.Fee)
	}
	return bus.Fee, true
}

// covers tells what the newest balance, at that height, leaves after a
// transaction and after all that this peer has on the way. A shortfall is an
// error.
func (n *network) covers(ctx context.Context, body bus.Body) (left bus.Amount, at int64, err error) {
	own := n.plane.cfg.Signer.PublicKey()
	needed, ok := costs(body, own)
	if !ok {
		return left, 0, fault.New(fault.Invalid, "Amount exceeds maximum allowed value (2^128 - 1)").WithHint("the fee counts too: send less")
	}
	account, known, at, err := n.ledger.Account(ctx, own, 0)
	if err != nil {
		return left, 0, err
	}
	if !known {
		hint := "an account is made by the first transfer to it: ask somebody for one"
		if n.settings.Development {
			hint = "on this development network the first transfer that is no dry run is funded by the faucet"
		}
		return left, at, fault.New(fault.Limited, "Requester address not found in state: %s has no account on network %q", own.Address(), n.settings.Network).WithHint("%s", hint)
	}
	if left, ok = account.Balance.Sub(needed); !ok {
		return left, at, n.short(needed, account.Balance, bus.Amount{})
	}
	left, reserved, err := n.besides(ctx, left)
	if err == nil && reserved.Cmp(left) > 0 {
		err = n.short(needed, account.Balance, reserved)
	}
	left, _ = left.Sub(reserved)
	return left, at, err
}

func (n *network) short(needed, has, reserved bus.Amount) error {
	text := ""
	if !reserved.IsZero() {
		text = ", of which transactions on the way take " + reserved.String() + " TNK"
	}
	hint := "send less, or ask somebody for a transfer"
	if n.settings.Development && n.faucet == nil {
		hint = "send less; on this development network faucet gives " + gift + " TNK once to each key"
	}
	return fault.New(fault.Limited, "Insufficient balance: %s TNK needed with the fee %s, %s TNK available%s on network %q",
		needed, bus.Fee, has, text, n.settings.Network).WithHint("%s", hint)
}

// besides tells what the unsettled transactions of this peer will take from what
// is left. The balance was read before they are looked up, so what was settled
// meanwhile counts for the caller: nothing is refused that might be paid.
func (n *network) besides(ctx context.Context, left bus.Amount) (_, reserved bus.Amount, err error) {
	spends := map[bus.ID]bus.Amount{}
	for _, e := range n.outbox.Pending() {
		if signed, result := bus.Decode(e.Raw); result.Code == bus.OK {
			spends[e.ID], _ = costs(signed.Body, signed.Requester)
		}
	}
	if reserved = sum(spends); reserved.Cmp(left) <= 0 {
		return left, reserved, nil
	}
	if err := n.dropSettled(ctx, spends); err != nil {
		return left, reserved, err
	}
	return left, sum(spends), nil
}

// dropSettled takes out what the network has settled. Beyond what one question
// can ask nothing is reserved: the validators decide.
func (n *network) dropSettled(ctx context.Context, spends map[bus.ID]bus.Amount) error {
	ids := make([]bus.ID, 0, len(spends))
	for id := range spends {
		if len(ids) == chain.MaxRecords {
			delete(spends, id)
			continue
		}
		ids = append(ids, id)
	}
	records, _, err := n.ledger.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i, r := range records {
		if r.Settled {
			delete(spends, ids[i])
		}
	}
	return nil
}

func sum(amounts map[bus.ID]bus.Amount) (total bus.Amount) {
	for _, a := range amounts {
		var ok bool
		if total, ok = total.Add(a); !ok {
			return bus.MaxAmount
		}
	}
	return total
}
