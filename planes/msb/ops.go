package msb

import "intercom/core/op"

const owner = "msb"

// Ops lists the plane's operations. The faucet is not among them when the network
// is known to be a real one.
func (p *Plane) Ops() []*op.Op {
	ops := []*op.Op{
		p.opMSB(), p.opBalance(), p.opTransfer(), p.opStatus(), p.opWait(),
		p.opTx(), p.opTxs(), p.opAccount(), p.opValidators(), p.opDeployment(), p.opFee(), p.opRoles(),
	}
	if !p.cfg.Choice.real() {
		ops = append(ops, p.opFaucet())
	}
	return ops
}

// accountSynonyms are other names of the parameter address.
var accountSynonyms = map[string][]string{"address": {"account", "pubkey"}}

// where names the network that an answer is about, as every answer about money does.
type where struct {
	Network     string `json:"network" jsonschema:"the settlement network the answer is about"`
	Development bool   `json:"development" jsonschema:"true: a development network, one key on one machine, whose funds are worth nothing"`
}

func (n *network) where() where {
	return where{n.settings.Network, n.settings.Development}
}

// plainly adds to a text for people what they must not miss.
func plainly(text string, at where) string {
	text += "\nnetwork " + at.Network
	if at.Development {
		text += " (development: its funds are worth nothing)"
	}
	return text
}
