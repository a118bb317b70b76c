package msb

import (
	"context"
	"fmt"

	"intercom/core/op"
	"intercom/planes/msb/bus"
)

type balanceIn struct {
	Address account `json:"address,omitzero" jsonschema:"address or key of the account; this peer's own if left out"`
	Height  height  `json:"height,omitempty" jsonschema:"after the block of that height; the newest if left out. Only the last hundred or so changes are kept"`
}

type balanceOut struct {
	Address account    `json:"address" jsonschema:"address of the account"`
	Balance bus.Amount `json:"balance" jsonschema:"what it has, in TNK; 0 for an account that is not there"`
	Height  int64      `json:"height" jsonschema:"the block after which it has that"`
	where
}

func (p *Plane) opBalance() *op.Op {
	return op.New(op.Spec[balanceIn, balanceOut]{
		Name: "balance", Owner: owner, Summary: "Tell what an account has",
		Notes:  "Confirmed funds only: what is on the way does not count yet. A light client has the answer proven, or gives none.",
		Access: op.Read, Effects: op.Effects{Idempotent: true},
		Synonyms: accountSynonyms, Args: []string{"address"}, Example: `{}`,
		Run: func(ctx context.Context, in balanceIn) (balanceOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return balanceOut{}, err
			}
			key := in.Address.or(p.cfg.Signer.PublicKey())
			a, _, at, err := n.ledger.Account(ctx, key, int64(in.Height))
			return balanceOut{account(key), a.Balance, at, n.where()}, err
		},
		Text: func(out balanceOut) string {
			return plainly(fmt.Sprintf("%s TNK at height %d", out.Balance, out.Height), out.where)
		},
	})
}

type accountIn struct {
	Address account `json:"address,omitzero" jsonschema:"address or key of the account; this peer's own if left out"`
}

type accountOut struct {
	Address      account    `json:"address" jsonschema:"address of the account"`
	Known        bool       `json:"known" jsonschema:"false: the network has no such account, which is proven too"`
	Role         string     `json:"role" jsonschema:"reader, whitelisted or validator"`
	ValidatorKey string     `json:"validator_key,omitempty" jsonschema:"key of its engine, hex; absent unless it validates"`
	License      *uint32    `json:"license,omitempty" jsonschema:"its license number; absent when it has none"`
	Balance      bus.Amount `json:"balance" jsonschema:"what it has, in TNK"`
	Stake        bus.Amount `json:"stake" jsonschema:"what it has put down as a validator, in TNK"`
	Height       int64      `json:"height" jsonschema:"the block after which this holds"`
	where
}

func (p *Plane) opAccount() *op.Op {
	return op.New(op.Spec[accountIn, accountOut]{
		Name: "msb_account", Owner: owner, Summary: "Tell balance, stake, role and license of an account",
		Access: op.Read, Effects: op.Effects{Idempotent: true},
		Synonyms: accountSynonyms, Args: []string{"address"}, Example: `{}`,
		Run: func(ctx context.Context, in accountIn) (accountOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return accountOut{}, err
			}
			key := in.Address.or(p.cfg.Signer.PublicKey())
			a, known, at, err := n.ledger.Account(ctx, key, 0)
			out := accountOut{
				Address: account(key), Known: known, Role: roleName(a.Role), Balance: a.Balance, Stake: a.Stake,
				Height: at, where: n.where(),
			}
			if !a.ValidatorKey.IsZero() {
				out.ValidatorKey = a.ValidatorKey.String()
			}
			if a.License != 0 {
				out.License = &a.License
			}
			return out, err
		},
	})
}

func roleName(r bus.Role) string {
	switch r {
	case bus.Whitelisted:
		return "whitelisted"
	case bus.Validator:
		return "validator"
	default:
		return "reader"
	}
}
