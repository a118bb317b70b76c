// Package settle checks, with plain functions of bytes, that a command of a subnet
// was settled: what a contract needs of the settlement network to believe it.
//
// A contract keeps a trust, which says which validators sign which heights. It
// begins with the genesis ([Begin]) and goes on by updates ([Advance]), one for
// each change of the validators, none skipped. Under it a proof shows that a
// transaction stands in a block, with which result, and that more than 2/3 of the
// validators of that height signed both ([Verify]).
//
// The functions read nothing but their arguments: no clock, no network, no
// setting. The same bytes give the same answer on every machine, so they may run
// inside a replicated state machine. Whatever the bytes are, they do not panic, and
// their cost is bounded by the Max constants. They answer [fault.Invalid] to all that
// does not hold.
//
// What they cannot do is tell history from forgery by keys: whoever holds more
// than 2/3 of the keys of a set can forge for the heights of that set, also long
// after. A development network is one key on one machine.
//
// Left to the caller: to count a transaction once, by [Settled.ID], and to fetch
// proofs and updates, which anybody may do, for they need not be believed.
package settle

import (
	"errors"
	"fmt"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// Limits of what is read, in bytes. With one validator a proof has 1.3 KiB, and
// every further signature on it, of at most 100, adds some 106 bytes.
const (
	MaxProof  = 32 << 10
	MaxUpdate = 32 << 10
)

// Claim is what a transaction is to have settled.
type Claim struct {
	Subnet    identity.PublicKey // the bootstrap key
	Requester identity.PublicKey // whose command it is, and who signed and paid
	Command   [32]byte           // its hash
}

// Settled is a transaction that did what was claimed.
type Settled struct {
	ID     [32]byte // of the transaction, without its signature
	Height int64    // of the block that holds it
	Index  int      // in that block
}

// Begin gives the network's name and what its genesis makes one believe.
func Begin(genesis []byte) (network string, trust []byte, err error) {
	g, err := bft.ParseGenesis(genesis)
	if err != nil {
		return "", nil, err
	}
	return g.ChainID, g.Trust().Encode(), nil
}

// Advance takes over a change of the validators: a header of the newest set's
// heights, signed by more than 2/3 of that set, that announces another set, which
// is trusted from the next height on. A change that is in the trust already does
// not hold a second time.
func Advance(trust, update []byte) ([]byte, error) {
	if len(update) > MaxUpdate {
		return nil, wrong("update", fmt.Errorf("%d bytes, at most %d are read", len(update), MaxUpdate))
	}
	t, err := bft.ParseTrust(trust)
	if err != nil {
		return nil, err
	}
	next, err := bft.Advance(t, update)
	if err != nil {
		return nil, err
	}
	return next.Encode(), nil
}

// Verify tells that a proof shows the claim: a contract transaction of the trust's
// network, by that requester, of that command of that subnet, in a block, with
// the result OK.
func Verify(trust, proof []byte, claim Claim) (Settled, error) {
	if len(proof) > MaxProof {
		return Settled{}, wrong("proof", fmt.Errorf("%d bytes, at most %d are read", len(proof), MaxProof))
	}
	t, err := bft.ParseTrust(trust)
	if err != nil {
		return Settled{}, err
	}
	p, err := bft.Verify(t, proof)
	if err != nil {
		return Settled{}, err
	}
	if code := bus.Code(p.Result.Code); code != bus.OK {
		return Settled{}, wrong("proof", fmt.Errorf("the transaction was settled as %s and did nothing", code))
	}
	signed, result := bus.Decode(p.Tx)
	if result.Code != bus.OK {
		return Settled{}, wrong("proof", errors.New(result.Text))
	}
	if err := claim.fits(t.ChainID, signed); err != nil {
		return Settled{}, wrong("proof", err)
	}
	return Settled{ID: signed.ID, Height: p.Header.Height, Index: p.Index}, nil
}

// fits tells what of a transaction is not as claimed.
func (c Claim) fits(network string, s *bus.Signed) error {
	body, ok := s.Body.(bus.Contract)
	switch {
	case s.Network != network:
		return fmt.Errorf("the transaction is of network %q, not of %q", s.Network, network)
	case !ok:
		return fmt.Errorf("the transaction is a %s and no contract call", bus.KindOf(s.Body))
	case body.Subnet != c.Subnet:
		return fmt.Errorf("the transaction is for subnet %s, not for %s", body.Subnet, c.Subnet)
	case s.Requester != c.Requester:
		return fmt.Errorf("the transaction is by %s, not by %s", s.Requester, c.Requester)
	case body.Command != c.Command:
		return fmt.Errorf("the transaction settles command %x, not %x", body.Command, c.Command)
	}
	return nil
}

func wrong(what string, err error) error {
	return fault.New(fault.Invalid, "%s does not hold: %w", what, err).
		WithHint("whoever made it is wrong or lies; make one from the network's own answers")
}
