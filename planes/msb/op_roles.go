package msb

import (
	"context"
	"fmt"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

// action is what is done with a role.
type action string

const (
	whitelist       action = "whitelist"
	ban             action = "ban"
	addValidator    action = "add_validator"
	removeValidator action = "remove_validator"
)

// Schema lists the actions.
func (action) Schema() op.Schema {
	return op.Schema{"type": "string", "enum": []action{whitelist, ban, addValidator, removeValidator}}
}

type rolesIn struct {
	Action  action    `json:"action" jsonschema:"whitelist or ban an account (the network's admin alone); add_validator or remove_validator for this peer's own account"`
	Address account   `json:"address,omitzero" jsonschema:"of whitelist and ban: the account"`
	Key     callKey   `json:"key,omitempty" jsonschema:"idempotency key: a call repeated with it sends nothing more and gives the same hash"`
	Engine  hexBytes  `json:"validator_key,omitempty" jsonschema:"of add_validator: key of the validator's engine, 64 hex digits"`
	Proof   hexBytes  `json:"proof,omitempty" jsonschema:"of add_validator: the engine's consent for this account, 128 hex digits, from intercom validator show"`
	Wait    op.WaitMS `json:"wait_ms,omitempty" jsonschema:"wait up to that many ms, 0 to 60000, for it to be confirmed or failed"`
}

type rolesOut struct {
	Action   action       `json:"action" jsonschema:"what is done"`
	Hash     txHash       `json:"hash" jsonschema:"names the transaction"`
	State    outbox.State `json:"state" jsonschema:"what is known of it, as of tx_status"`
	Code     *uint32      `json:"code,omitempty" jsonschema:"result code, once it has ended; 0 is success"`
	CodeName string       `json:"code_name,omitempty" jsonschema:"name of the code"`
	Height   uint64       `json:"height,omitempty" jsonschema:"the block that settled it"`
	Fee      bus.Amount   `json:"fee" jsonschema:"what it costs, in TNK"`
	where
}

func (p *Plane) opRoles() *op.Op {
	return op.New(op.Spec[rolesIn, rolesOut]{
		Name: "msb_roles", Owner: owner, Summary: "Change roles: whitelist, ban, become or cease to be a validator",
		Notes: "An account is whitelisted by the admin, then its own peer adds the validator, which puts down a stake of 0.3 TNK. " +
			"With a third of the validators absent nothing is settled: whitelist only who can be relied on.",
		Access: op.Admin, Effects: op.Effects{Destructive: true, OpenWorld: true},
		Synonyms: accountSynonyms, Args: []string{"action", "address"},
		Example: `{"action":"whitelist","address":"` + exampleAddress + `","wait_ms":1000}`,
		Run:     p.roles,
		Text: func(out rolesOut) string {
			return plainly(fmt.Sprintf("%s: %s\nhash %s", out.Action, stateText(out.State, out.CodeName), bus.ID(out.Hash)), out.where)
		},
	})
}

func (p *Plane) roles(ctx context.Context, in rolesIn) (rolesOut, error) {
	body, err := in.body()
	if err != nil {
		return rolesOut{}, err
	}
	n, err := p.use(ctx)
	if err != nil {
		return rolesOut{}, err
	}
	if n.settings.Development && in.Action == addValidator {
		return rolesOut{}, fault.New(fault.Invalid, "network %q is for development: no second validator reaches its first, and with one that is absent it would stand still for good", n.settings.Network).
			WithHint("make a real network for several validators: intercom help validator")
	}
	e, err := n.sendAndWait(ctx, body, in.Key, in.Wait.Duration())
	if err != nil {
		return rolesOut{}, err
	}
	out := rolesOut{
		Action: in.Action, Hash: txHash(e.ID), State: e.State, Height: e.Height, Fee: bus.Fee,
		where: n.where(),
	}
	out.Code, out.CodeName = codeOf(e)
	return out, nil
}

// body reads what an action needs, and refuses what it does not take.
func (in rolesIn) body() (bus.Body, error) {
	to := identity.PublicKey(in.Address)
	named := in.Action == whitelist || in.Action == ban
	switch {
	case named == to.IsZero():
		return nil, fault.New(fault.Invalid, "action %s: an address is for whitelist and ban, and they need one", in.Action)
	case (in.Action == addValidator) != (len(in.Engine)+len(in.Proof) > 0):
		return nil, fault.New(fault.Invalid, "action %s: validator_key and proof are for add_validator, and it needs both", in.Action).
			WithHint("intercom validator show prints them")
	}
	switch in.Action {
	case whitelist:
		return bus.Whitelist{Account: to}, nil
	case ban:
		return bus.Ban{Account: to}, nil
	case removeValidator:
		return bus.RemoveValidator{}, nil
	}
	if len(in.Engine) != len(identity.PublicKey{}) || len(in.Proof) != len(bus.AddValidator{}.Proof) {
		return nil, fault.New(fault.Invalid, "validator_key has %d bytes and proof %d, not 32 and 64", len(in.Engine), len(in.Proof)).
			WithHint("intercom validator show prints them")
	}
	return bus.AddValidator{Key: identity.PublicKey(in.Engine), Proof: [64]byte(in.Proof)}, nil
}
