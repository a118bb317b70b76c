package machine

import (
	"crypto/sha256"
	"sync"

	"intercom/core/canon"
)

// memory is what the port said about proofs. It is a pure function, so remembering
// changes no outcome; but a tail that is carried out again twenty times a second would
// verify every signature again as often.
type memory struct {
	mu    sync.Mutex
	facts map[[sha256.Size]byte]verdict
}

type verdict struct {
	fact Fact
	err  error
}

// remembered is how many proofs are; beyond them it begins anew.
const remembered = 4096

// verify asks the port unless it was asked the same before.
func (m *Machine) verify(trust, proof []byte, claim Claim) (Fact, error) {
	asked := sha256.Sum256(canon.Preimage("intercom/subnet/proof/v1", trust, proof,
		claim.Subnet[:], claim.Requester[:], claim.Command[:]))
	m.memory.mu.Lock()
	v, known := m.memory.facts[asked]
	m.memory.mu.Unlock()
	if known {
		return v.fact, v.err
	}
	v.fact, v.err = m.port.Verify(trust, proof, claim)
	m.memory.mu.Lock()
	defer m.memory.mu.Unlock()
	if m.memory.facts == nil || len(m.memory.facts) >= remembered {
		m.memory.facts = make(map[[sha256.Size]byte]verdict)
	}
	m.memory.facts[asked] = v
	return v.fact, v.err
}
