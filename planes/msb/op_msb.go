package msb

import (
	"context"
	"fmt"
	"strings"

	"intercom/core/bft"
	"intercom/core/op"
	"intercom/planes/msb/bus"
)

type none struct{}

type msbOut struct {
	where
	Genesis    bft.Hash   `json:"genesis" jsonschema:"hash of its genesis: what others name with --msb-genesis to join"`
	Mode       string     `json:"mode" jsonschema:"validator: its node runs in this peer; light client: others run it and prove what they say"`
	Height     int64      `json:"height" jsonschema:"newest block that is known; 0 while nobody has proven one"`
	Validators int        `json:"validators" jsonschema:"seats of the network"`
	Servers    int        `json:"servers" jsonschema:"of a light client: connected peers that answer for the network"`
	Address    string     `json:"address" jsonschema:"address of this peer"`
	Balance    bus.Amount `json:"balance" jsonschema:"what it has, in TNK; 0 for an account that is not there yet"`
	Fee        bus.Amount `json:"fee" jsonschema:"what every transaction costs, in TNK"`
	Pending    int        `json:"pending" jsonschema:"transactions of this peer that have not ended"`
	Health     healthOut  `json:"health" jsonschema:"whether what is sent gets settled"`
}

type healthOut struct {
	State  string `json:"state" jsonschema:"healthy, starting, syncing, stalled, failed, off; unreachable when no server answers a light client"`
	Reason string `json:"reason,omitempty" jsonschema:"why it is not healthy"`
}

func (p *Plane) opMSB() *op.Op {
	return op.New(op.Spec[none, msbOut]{
		Name: "msb", Owner: owner, Summary: "Tell which settlement network this peer uses and how it fares",
		Notes: "The first settlement operation of a peer that was started without --msb-genesis makes a development network on this machine, " +
			"with 1000000 TNK for this peer; it starts with the peer from then on.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Example: `{}`,
		Run: p.tell, Text: msbOut.text,
	})
}

// tell answers also while the network cannot be reached: that is what it is asked.
func (p *Plane) tell(ctx context.Context, _ none) (msbOut, error) {
	n, err := p.use(ctx)
	if err != nil {
		return msbOut{}, err
	}
	own := p.cfg.Signer.PublicKey()
	out := msbOut{
		where: n.where(), Genesis: n.hash, Mode: n.mode(),
		Address: own.Address(), Fee: bus.Fee, Pending: len(n.outbox.Pending()), Validators: len(n.settings.Validators),
	}
	account, _, at, err := n.ledger.Account(ctx, own, 0)
	if err == nil {
		out.Balance, out.Height = account.Balance, at
		if all, err := n.ledger.Network(ctx); err == nil {
			out.Validators = len(all.Seats)
		}
	} else if ctx.Err() != nil {
		return msbOut{}, ctx.Err()
	}
	out.Servers = n.servers.speaking()
	out.Health = n.fares(err)
	return out, nil
}

func (n *network) mode() string {
	if n.node != nil {
		return "validator"
	}
	return "light client"
}

// fares tells the health: of the node, or how asking went.
func (n *network) fares(asked error) healthOut {
	if n.node != nil {
		h := n.node.Status().Health
		return healthOut{State: string(h.State), Reason: h.Reason}
	}
	if asked != nil {
		return healthOut{State: "unreachable", Reason: asked.Error()}
	}
	return healthOut{State: string(bft.Healthy)}
}

func (out msbOut) text() string {
	kind := ""
	if out.Development {
		kind = " (development: its funds are worth nothing)"
	}
	health := out.Health.State
	if out.Health.Reason != "" {
		health += ": " + out.Health.Reason
	}
	var b strings.Builder
	for _, row := range [][2]string{
		{"network", out.Network + kind}, {"genesis", out.Genesis.String()}, {"mode", out.Mode},
		{"height", fmt.Sprint(out.Height)}, {"validators", fmt.Sprint(out.Validators)}, {"address", out.Address},
		{"balance", out.Balance.String() + " TNK"}, {"fee", out.Fee.String() + " TNK"},
		{"pending", fmt.Sprint(out.Pending)}, {"health", health},
	} {
		fmt.Fprintf(&b, "%-11s %s\n", row[0], row[1])
	}
	return b.String()
}
