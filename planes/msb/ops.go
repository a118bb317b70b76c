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

// plainly adds the warning that people must not miss.
func plainly(text, network string, development bool) string {
	text += "\nnetwork " + network
	if development {
		text += " (development: its funds are worth nothing)"
	}
	return text
}
