package bus

import (
	"encoding/binary"

	"intercom/core/fault"
	"intercom/core/identity"
)

// A Source is where leaves are read: a [merkle.View] or a [merkle.Update].
type Source interface {
	Get(key []byte) (value []byte, ok bool, err error)
}

// State reads the bus from a source. Its errors are those of the source, and
// those of leaves that are damaged.
type State struct{ from Source }

// Read gives the state in a source.
func Read(from Source) State { return State{from} }

// Account reads an account; ok tells whether it exists. One that does not has
// nothing.
func (s State) Account(key identity.PublicKey) (a Account, ok bool, err error) {
	return read(s, AccountLeaf(key), DecodeAccount)
}

// Deployment reads a subnet's entry.
func (s State) Deployment(subnet identity.PublicKey) (r Registration, ok bool, err error) {
	return read(s, DeploymentLeaf(subnet), DecodeRegistration)
}

// Tx reads what became of a transaction.
func (s State) Tx(id ID) (r Record, ok bool, err error) { return read(s, TxLeaf(id), DecodeRecord) }

// License reads which account has a license.
func (s State) License(number uint32) (account identity.PublicKey, ok bool, err error) {
	return read(s, licenseLeaf(number), decodeKey)
}

// Validators lists the seats, ascending by key.
func (s State) Validators() ([]Seat, error) {
	seats, _, err := read(s, []byte(leafValidators), decodeSeats)
	return seats, err
}

// Network is the name of the network, "" before the genesis.
func (s State) Network() (string, error) {
	name, _, err := read(s, []byte(leafNetwork), func(raw []byte) (string, error) { return string(raw), nil })
	return name, err
}

// Development tells whether it is a development network.
func (s State) Development() (bool, error) {
	_, ok, err := s.from.Get([]byte(leafDevelopment))
	return ok, err
}

// Admin is the account that whitelists and bans, if there is one.
func (s State) Admin() (account identity.PublicKey, ok bool, err error) {
	return read(s, []byte(leafAdmin), decodeKey)
}

// Supply is what the genesis gave out: at every height the sum of all balances,
// stakes and what was burned.
func (s State) Supply() (Amount, error) { return s.amount(leafSupply) }

// Burned is what fees and punishments destroyed.
func (s State) Burned() (Amount, error) { return s.amount(leafBurned) }

func (s State) amount(leaf string) (Amount, error) {
	a, _, err := read(s, []byte(leaf), func(raw []byte) (Amount, error) {
		if len(raw) != amountSize {
			return Amount{}, badLeaf("amount", raw)
		}
		return amountOf(raw), nil
	})
	return a, err
}

// Licenses is how many licenses were given out.
func (s State) Licenses() (uint32, error) {
	n, _, err := read(s, []byte(leafLicenses), func(raw []byte) (uint32, error) {
		if len(raw) != 4 {
			return 0, badLeaf("count", raw)
		}
		return binary.BigEndian.Uint32(raw), nil
	})
	return n, err
}

// Height is that of the last block that changed the state.
func (s State) Height() (uint64, error) {
	n, _, err := read(s, []byte(leafHeight), func(raw []byte) (uint64, error) {
		if len(raw) != 8 {
			return 0, badLeaf("height", raw)
		}
		return binary.BigEndian.Uint64(raw), nil
	})
	return n, err
}

func licenseLeaf(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte("license/"), number)
}

func decodeKey(raw []byte) (identity.PublicKey, error) {
	if len(raw) != len(identity.PublicKey{}) {
		return identity.PublicKey{}, badLeaf("key", raw)
	}
	return identity.PublicKey(raw), nil
}

// read reads a leaf. One that is there and cannot be read is damage.
func read[T any](s State, leaf []byte, decode func([]byte) (T, error)) (value T, ok bool, err error) {
	raw, ok, err := s.from.Get(leaf)
	if err != nil || !ok {
		return value, false, err
	}
	if value, err = decode(raw); err != nil {
		return value, false, fault.New(fault.Internal, "leaf %q: %w", leaf, err)
	}
	return value, true, nil
}
