package machine

import (
	"encoding/hex"
	"encoding/json"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// A Port is the settlement network as pure functions: what they answer depends on
// their arguments alone.
type Port interface {
	// Verify reads a proof against what is trusted. What does not hold is an error.
	Verify(trust, proof []byte) (Fact, error)
	// Advance takes the next set of validators, none skipped.
	Advance(trust, update []byte) ([]byte, error)
}

// A Fact is what a proof proves: a transaction that the settlement network carried
// out, and for whom.
type Fact struct {
	Network   string // its name
	Tx        [32]byte
	Code      uint32 // 0 is success: only that is paid
	Requester identity.PublicKey
	Subnet    identity.PublicKey
	Command   [32]byte           // see [CommandHash]
	Validator identity.PublicKey // who put it into its block; may be zero
}

// settled carries a command out that was paid for: the proof holds, it is about
// this subnet's command and its requester, and it was not carried out before.
func (m *Machine) settled(s *state, b *Settled, out *Outcome) *fault.Error {
	network, trust := s.own("settlement"), s.own("trust")
	switch {
	case network == nil:
		return conflict("this subnet settles nothing").WithHint("its commands run at once")
	case trust == nil:
		return fault.New(fault.Unavailable, "whom to trust on network %+q is not all there yet", network).WithHint("append it again later")
	}
	if refused := s.transactionsOn(); refused != nil {
		return refused
	}
	fact, err := m.verify(trust, b.Proof)
	if err != nil {
		return fault.New(fault.Invalid, "the proof does not hold").WithHint("%v", err)
	}
	if refused := m.fits(s, b, string(network), fact); refused != nil {
		return refused
	}
	command, found := s.command(b.Command)
	switch {
	case !found:
		return fault.New(fault.NotFound, "no command %s waits", b.Command).WithHint("append the command again, then its proof")
	case fact.Command != CommandHash(m.subnet, command.Type, command.Value):
		return denied("transaction %x paid for another command than %s", fact.Tx, b.Command)
	case fact.Requester != command.Requester:
		return denied("transaction %x was paid by %s, and the command is %s's", fact.Tx, fact.Requester, command.Requester)
	}
	s.delOwn("command/", b.Command[:])
	m.execute(s, contract.Invocation{
		Way: contract.ByTransaction, Name: command.Type, Value: command.Value,
		Caller: fact.Requester, Validator: fact.Validator, ID: fact.Tx,
	}, out)
	return nil
}

// fits tells whether a proven transaction may be carried out here.
func (m *Machine) fits(s *state, b *Settled, network string, fact Fact) *fault.Error {
	switch tx := hex.EncodeToString(fact.Tx[:]); {
	case fact.Network != network:
		return denied("transaction %s is of network %+q, and this subnet settles on %+q", tx, fact.Network, network)
	case fact.Subnet != m.subnet:
		return denied("transaction %s is for subnet %s", tx, fact.Subnet)
	case fact.Code != 0:
		return denied("transaction %s failed with code %d", tx, fact.Code)
	case s.leaf(contract.Leaf("tx/"+tx)) != nil:
		return conflict("transaction %s was carried out before", tx)
	}
	return nil
}

// msbSet takes the next validators of the settlement network over.
func (m *Machine) msbSet(s *state, b *MsbSet) *fault.Error {
	trust := s.own("trust")
	if trust == nil {
		return conflict("this subnet trusts no validators")
	}
	next, err := m.port.Advance(trust, b.Update)
	if err != nil {
		return fault.New(fault.Invalid, "the next validators are not proven").WithHint("%v", err)
	}
	s.setOwn(next, "trust")
	return nil
}

// feature takes a value of the admin's oracle.
func (m *Machine) feature(s *state, b *Feature) *fault.Error {
	if refused := s.adminOnly(); refused != nil {
		return refused
	}
	result := m.run(s, contract.Invocation{
		Way: contract.ByFeature, Name: b.Name, Key: b.Key, Value: json.RawMessage(b.Value), Caller: s.author(), ID: s.id,
	})
	if result.Failure != "" {
		return fault.New(fault.Invalid, "the contract refuses %s of feature %s: %s", b.Key, b.Name, result.Failure)
	}
	return nil
}
