package subnet

import (
	"context"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/machine"
)

// Settlement is the network on which transactions are paid, as the plane needs it.
// Its [machine.Port] and Begin are pure functions of their arguments.
type Settlement interface {
	machine.Port

	// Begin reads a genesis: the network's name, and what it makes one believe.
	Begin(genesis []byte) (network string, trust []byte, err error)

	// Genesis is where the network begins; the first call may make or fetch it.
	Genesis(ctx context.Context) ([]byte, error)
	// Updates are the changes of validators from that height on, for the port.
	Updates(ctx context.Context, from int64) ([][]byte, error)

	// Deploy registers a subnet and gives the transaction's hash; one that is
	// registered already is a fault.Conflict. Deployed tells whether it is.
	Deploy(ctx context.Context, bootstrap machine.Signer, channel [32]byte) (hash [32]byte, err error)
	Deployed(ctx context.Context, subnet identity.PublicKey) (bool, error)

	// Settle pays for a command and gives the transaction's hash once it is on this
	// peer's disk. Wish tells one payment from another for an equal command:
	// repeated with it, also after a restart, the same transaction is given, unless
	// that has ended in vain.
	Settle(ctx context.Context, wish [32]byte, subnet identity.PublicKey, command [32]byte) (hash [32]byte, err error)
	// Proof waits until a transaction is settled and gives the proof for the port. A
	// transaction that ended otherwise is a fault.Conflict.
	Proof(ctx context.Context, hash [32]byte) ([]byte, error)
}

// SettlementGenesis gives the genesis of the network that the subnet settles on, nil
// when it settles nothing. It waits for the subnet like an operation.
func (p *Plane) SettlementGenesis(ctx context.Context) ([]byte, error) {
	m, err := p.use(ctx)
	if err != nil || m.first.Settlement == nil {
		return nil, err
	}
	document := m.first.Settlement.Genesis
	if len(document.Inline) > 0 {
		return document.Inline, nil
	}
	state, err := m.log.State()
	if err != nil {
		return nil, err
	}
	whole, ok, err := machine.DocumentIn(state, document.Hash)
	if err == nil && !ok {
		err = fault.New(fault.Unavailable, "the genesis of settlement network %q is not all there yet", m.first.Settlement.Network).
			WithHint("call again when the subnet's first blocks have come")
	}
	return whole, err
}
