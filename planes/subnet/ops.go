package subnet

import (
	"context"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/subnet/machine"
)

const (
	owner     = "subnet"
	chatOwner = "chat"
)

// exampleKey is a key for examples.
const exampleKey = "b0a7c1f2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e"

// Ops lists the plane's operations.
func (p *Plane) Ops() []*op.Op {
	return []*op.Op{
		p.opGet(), p.opTx(), p.opTxResult(), p.opInfo(), p.opDeploy(),
		p.opAddAdmin(), p.opUpdateAdmin(), p.opAddIndexer(), p.opAddWriter(), p.opRemoveWriter(), p.opRemoveIndexer(),
		p.opSetAutoAddWriters(), p.opEnableTransactions(),
		p.opSetChatStatus(), p.opPost(), p.opSetNick(), p.opMuteStatus(), p.opSetMod(), p.opDeleteMessage(),
		p.opPinMessage(), p.opUnpinMessage(), p.opEnableWhitelist(), p.opSetWhitelistStatus(), p.opChatRead(),
	}
}

type none struct{}

// keyText is a peer's key as a parameter: 64 hex digits, its address, or self.
type keyText string

// Schema is the rule of a key; what it says is checked by whoever knows its name.
func (keyText) Schema() op.Schema { return op.Schema{"type": "string", "maxLength": 128} }

// key reads a key; its error names the parameter as upstream does (upstream 5.2).
func (p *Plane) key(t keyText, parameter string) (identity.PublicKey, error) {
	word := strings.TrimSpace(string(t))
	if word == "self" {
		return p.cfg.Signer.PublicKey(), nil
	}
	parse := identity.ParsePublicKey
	if strings.HasPrefix(strings.ToLower(word), "trac1") {
		parse = identity.ParseAddress
	}
	key, err := parse(word)
	if err != nil {
		return key, fault.New(fault.Invalid, "Invalid --%s. Expected 32-byte hex (64 chars).", parameter).
			WithHint("%.80q is neither that nor an address; get_keys shows a peer's own", word)
	}
	return key, nil
}

// view gives the subnet, and its settings as this peer sees them now.
func (p *Plane) view(ctx context.Context) (*member, machine.Settings, error) {
	m, err := p.use(ctx)
	if err != nil {
		return nil, machine.Settings{}, err
	}
	local, err := m.log.Local(ctx)
	if err != nil {
		return nil, machine.Settings{}, err
	}
	s, err := machine.SettingsOf(local)
	return m, s, err
}

// admin gives the subnet to its admin.
func (p *Plane) admin(ctx context.Context) (*member, error) {
	m, s, err := p.view(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.Admin.IsZero() || s.Admin != m.self:
		return nil, onlyFor(s, "Only admin may perform this operation.")
	}
	return m, nil
}

// moderator gives the subnet to its admin and mods.
func (p *Plane) moderator(ctx context.Context) (*member, error) {
	m, s, err := p.view(ctx)
	if err != nil || s.Admin == m.self {
		return m, err
	}
	local, err := m.log.Local(ctx)
	if err != nil {
		return nil, err
	}
	if mod, err := machine.Value(local, "mod/"+m.self.String()); err != nil || string(mod) == "true" {
		return m, err
	}
	return nil, onlyFor(s, "Only admin or mod may perform this operation.")
}

// onlyFor refuses what the admin decides, with who that is.
func onlyFor(s machine.Settings, message string) error {
	if s.Admin.IsZero() {
		return fault.New(fault.Denied, "%s", message).WithHint("the subnet has no admin yet: the peer that made it names one with add_admin")
	}
	return fault.New(fault.Denied, "%s", message).WithHint("the admin is %s", s.Admin)
}

// onOff is a switch as upstream names it.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
