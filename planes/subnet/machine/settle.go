package machine

import (
	"encoding/hex"
	"encoding/json"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// A Port is the settlement network as pure functions: what they answer depends on
// their arguments alone, whatever the bytes, and they do not panic.
type Port interface {
	// Verify tells that a proof shows the claim under a trust: that the network took
	// the payment and carried it out. What does not hold is an error.
	Verify(trust, proof []byte, claim Claim) (Fact, error)
	// Advance takes the next set of validators, none skipped.
	Advance(trust, update []byte) ([]byte, error)
}

// A Claim is what a transaction is to have settled.
type Claim struct {
	Subnet    identity.PublicKey // the bootstrap key
	Requester identity.PublicKey // whose command it is, and who paid
	Command   [32]byte           // see [CommandHash]
}

// A Fact is the transaction that settled what was claimed.
type Fact struct {
	Tx        [32]byte
	Validator identity.PublicKey // who put it into its block; zero when that is not known
}

// settled carries a command out that was paid for: the proof is about this subnet's
// command and its requester, and the payment was not used before.
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
	command, found := s.command(b.Command)
	if !found {
		return fault.New(fault.NotFound, "no command %s waits", b.Command).
			WithHint("look whether its transaction was carried out; if not, append the command again, then its proof")
	}
	fact, err := m.verify(trust, b.Proof, Claim{m.subnet, command.Requester, CommandHash(m.subnet, command.Type, command.Value)})
	if err != nil {
		return denied("the proof does not show that command %s was paid for", b.Command).WithHint("%v", err)
	}
	if tx := hex.EncodeToString(fact.Tx[:]); s.leaf(contract.Leaf("tx/"+tx)) != nil {
		return conflict("transaction %s was carried out before", tx)
	}
	s.delOwn("command/", b.Command[:])
	m.execute(s, contract.Invocation{
		Way: contract.ByTransaction, Name: command.Type, Value: command.Value,
		Caller: command.Requester, Validator: fact.Validator, ID: fact.Tx,
	}, out)
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
