package msb

import (
	"context"
	"fmt"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
)

type faucetIn struct {
	Address account `json:"address,omitzero" jsonschema:"address or key of the account; this peer's own if left out"`
}

type faucetOut struct {
	Address account    `json:"address" jsonschema:"the account it goes to"`
	Amount  bus.Amount `json:"amount" jsonschema:"what it gets, in TNK, once"`
	Hash    txHash     `json:"hash" jsonschema:"hash of the transfer: of the first one, when it was given before"`
	where
}

func (p *Plane) opFaucet() *op.Op {
	return op.New(op.Spec[faucetIn, faucetOut]{
		Name: "faucet", Owner: owner, Summary: "Give funds of a development network to an account, once",
		Notes: "Only on development networks. Its maker gives from its own funds; other peers ask the maker, " +
			"and do so by themselves before their first transaction. tx_wait with the hash waits for it.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true},
		Synonyms: accountSynonyms, Args: []string{"address"}, Example: `{"address":"` + exampleAddress + `"}`,
		Run: p.giveAway,
		Text: func(out faucetOut) string {
			return plainly(fmt.Sprintf("%s TNK to %s\nhash %s", out.Amount, identity.PublicKey(out.Address).Address(), bus.ID(out.Hash)), out.where)
		},
	})
}

func (p *Plane) giveAway(ctx context.Context, in faucetIn) (faucetOut, error) {
	n, err := p.use(ctx)
	if err != nil {
		return faucetOut{}, err
	}
	own := p.cfg.Signer.PublicKey()
	to := in.Address.or(own)
	switch {
	case !n.settings.Development:
		// The network was named by hash, so at the start nobody knew that it has none.
		return faucetOut{}, fault.New(fault.Unknown, "there is no operation %q on network %q: it is a real one", "faucet", n.settings.Network).
			WithHint("ask somebody for a transfer")
	case n.faucet != nil && to == own:
		return faucetOut{}, fault.New(fault.Invalid, "%s made this network and has its funds already", own.Address()).
			WithHint("name the address of somebody else")
	}
	sum, err := bus.ParseAmount(gift)
	if err != nil {
		return faucetOut{}, err
	}
	id, err := n.give(ctx, to)
	return faucetOut{account(to), sum, txHash(id), n.where()}, err
}
