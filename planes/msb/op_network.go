package msb

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
)

type seat struct {
	ValidatorKey identity.PublicKey `json:"validator_key" jsonschema:"key of its engine, hex"`
	Operator     account            `json:"operator" jsonschema:"account that earns for it"`
}

type validatorsOut struct {
	Validators []seat     `json:"validators" jsonschema:"the seats; each has one vote, and more than two thirds of the votes settle"`
	Admin      *account   `json:"admin,omitempty" jsonschema:"account that whitelists and bans; absent when the network has none"`
	Licenses   uint32     `json:"licenses" jsonschema:"how many licenses were given out"`
	Supply     bus.Amount `json:"supply" jsonschema:"all TNK that the genesis gave out"`
	Burned     bus.Amount `json:"burned" jsonschema:"what fees have destroyed of it"`
	Height     int64      `json:"height" jsonschema:"the block after which this holds"`
	where
}

func (p *Plane) opValidators() *op.Op {
	return op.New(op.Spec[none, validatorsOut]{
		Name: "msb_validators", Owner: owner, Summary: "List the validators of the network, and its supply",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Example: `{}`,
		Run: func(ctx context.Context, _ none) (validatorsOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return validatorsOut{}, err
			}
			all, err := n.ledger.Network(ctx)
			out := validatorsOut{
				Validators: []seat{}, Licenses: all.Licenses, Supply: all.Supply, Burned: all.Burned,
				Height: all.Height, where: n.where(),
			}
			for _, s := range all.Seats {
				out.Validators = append(out.Validators, seat{s.Key, account(s.Operator)})
			}
			if all.HasAdmin {
				out.Admin = (*account)(&all.Admin)
			}
			return out, err
		},
	})
}

type deploymentIn struct {
	Bootstrap bootstrap `json:"bootstrap" jsonschema:"bootstrap key of the subnet, 64 hex digits"`
}

// bootstrap is a subnet's bootstrap key as a parameter.
type bootstrap identity.PublicKey

// Schema is the rule of a bootstrap key.
func (bootstrap) Schema() op.Schema {
	return op.Schema{"type": "string", "pattern": `^\s*[0-9a-fA-F]{64}\s*$`}
}

// UnmarshalText reads 64 hex digits.
func (b *bootstrap) UnmarshalText(text []byte) error {
	id, err := parseID(strings.TrimSpace(string(text)))
	*b = bootstrap(id)
	return err
}

// MarshalText writes 64 hex digits.
func (b bootstrap) MarshalText() ([]byte, error) { return []byte(identity.PublicKey(b).String()), nil }

type deploymentOut struct {
	Bootstrap bootstrap `json:"bootstrap" jsonschema:"bootstrap key of the subnet"`
	Tx        txHash    `json:"tx" jsonschema:"hash of the transaction that deployed it"`
	Deployer  account   `json:"deployer" jsonschema:"account that earns from its contract transactions"`
	Channel   string    `json:"channel" jsonschema:"the subnet's channel, hex"`
	Height    int64     `json:"height" jsonschema:"the block after which this holds"`
	where
}

func (p *Plane) opDeployment() *op.Op {
	return op.New(op.Spec[deploymentIn, deploymentOut]{
		Name: "msb_deployment", Owner: owner, Summary: "Tell who deployed a subnet",
		Access: op.Read, Effects: op.Effects{Idempotent: true},
		Synonyms: map[string][]string{"bootstrap": {"bs", "subnet"}}, Args: []string{"bootstrap"},
		Example: `{"bootstrap":"` + exampleHash + `"}`,
		Run: func(ctx context.Context, in deploymentIn) (deploymentOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return deploymentOut{}, err
			}
			subnet := identity.PublicKey(in.Bootstrap)
			r, known, at, err := n.ledger.Deployment(ctx, subnet)
			if err == nil && !known {
				err = fault.New(fault.NotFound, "External bootstrap with hash %s is not registered as deployment entry at height %d of network %q.", subnet, at, n.settings.Network).
					WithHint("check the key and the network; its creator deploys it")
			}
			return deploymentOut{
				Bootstrap: in.Bootstrap, Tx: txHash(r.Tx), Deployer: account(r.Deployer), Channel: hex.EncodeToString(r.Channel[:]),
				Height: at, where: n.where(),
			}, err
		},
	})
}

type feeOut struct {
	Fee    bus.Amount `json:"fee" jsonschema:"what every transaction costs, in TNK"`
	Atomic string     `json:"atomic" jsonschema:"the same in atomic units, 10^-18 TNK"`
	Stake  bus.Amount `json:"stake" jsonschema:"what a validator puts down, in TNK"`
	where
}

func (p *Plane) opFee() *op.Op {
	return op.New(op.Spec[none, feeOut]{
		Name: "msb_fee", Owner: owner, Summary: "Tell what a transaction costs",
		Notes:  "One fee for all: a failed transaction that was settled has paid it too.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Example: `{}`,
		Run: func(ctx context.Context, _ none) (feeOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return feeOut{}, err
			}
			return feeOut{bus.Fee, bus.Fee.AtomicText(), bus.Stake, n.where()}, nil
		},
		Text: func(out feeOut) string {
			return plainly(fmt.Sprintf("%s TNK", out.Fee), out.where)
		},
	})
}
