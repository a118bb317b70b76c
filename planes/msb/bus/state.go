package bus

import (
	"bytes"
	"encoding/binary"
	"slices"

	"intercom/core/fault"
	"intercom/core/identity"
)

// The leaves of the state. Numbers are big endian.
//
//	account/<key 32>        [Account], as upstream lays it out (upstream 2.11):
//	                        role 1 ‖ validator key 32 ‖ balance 16 ‖ license 4 ‖ stake 16
//	deployment/<key 32>     [Registration]: transaction 32 ‖ deployer 32 ‖ channel 32
//	tx/<id 32>              [Record]: height 8 ‖ code 4; never removed
//	license/<number 4>      the account that has it
//	validators              (key 32 ‖ operator 32)*, ascending by key
//	network, development, admin, supply, burned, licenses, height
//
// height is that of the last block that was not empty, so that each of them
// changes the root.
const (
	leafNetwork     = "network"
	leafDevelopment = "development" // 1 on a development network
	leafAdmin       = "admin"       // 32 bytes, absent without one
	leafSupply      = "supply"      // 16 bytes
	leafBurned      = "burned"      // 16 bytes
	leafLicenses    = "licenses"    // 4 bytes: how many were given out
	leafHeight      = "height"      // 8 bytes
	leafValidators  = "validators"
)

// AccountLeaf is the key of an account's leaf.
func AccountLeaf(account identity.PublicKey) []byte { return append([]byte("account/"), account[:]...) }

// DeploymentLeaf is the key of a subnet's leaf.
func DeploymentLeaf(subnet identity.PublicKey) []byte {
	return append([]byte("deployment/"), subnet[:]...)
}

// TxLeaf is the key of the leaf that says what became of a transaction. Its
// absence in the state after a height not below the transaction's expiry shows
// that it never was settled and never will be.
func TxLeaf(id ID) []byte { return append([]byte("tx/"), id[:]...) }

// A Role is what an account may do, numbered as upstream (upstream 2.11).
type Role byte

// The roles.
const (
	Reader      Role = 0
	Whitelisted Role = 1 // may become a validator
	Validator   Role = 7
)

// An Account is what the state holds of one key.
type Account struct {
	Role         Role
	ValidatorKey identity.PublicKey // of the engine; zero unless it validates
	Balance      Amount
	License      uint32 // 0 for none
	Stake        Amount
}

const accountSize = 1 + 32 + amountSize + 4 + amountSize

// EncodeAccount gives the value of an account's leaf.
func EncodeAccount(a Account) []byte {
	out := make([]byte, 0, accountSize)
	out = append(append(out, byte(a.Role)), a.ValidatorKey[:]...)
	out = binary.BigEndian.AppendUint32(a.Balance.append(out), a.License)
	return a.Stake.append(out)
}

// DecodeAccount reads the value of an account's leaf.
func DecodeAccount(raw []byte) (Account, error) {
	if len(raw) != accountSize || raw[0] != byte(Reader) && raw[0] != byte(Whitelisted) && raw[0] != byte(Validator) {
		return Account{}, badLeaf("account", raw)
	}
	return Account{
		Role:         Role(raw[0]),
		ValidatorKey: identity.PublicKey(raw[1:33]),
		Balance:      amountOf(raw[33:]),
		License:      binary.BigEndian.Uint32(raw[49:]),
		Stake:        amountOf(raw[53:]),
	}, nil
}

// A Registration is a subnet's entry.
type Registration struct {
	Tx       ID // that deployed it
	Deployer identity.PublicKey
	Channel  [32]byte
}

// DecodeRegistration reads the value of a subnet's leaf.
func DecodeRegistration(raw []byte) (Registration, error) {
	if len(raw) != 96 {
		return Registration{}, badLeaf("deployment", raw)
	}
	return Registration{ID(raw[:32]), identity.PublicKey(raw[32:64]), [32]byte(raw[64:])}, nil
}

func (r *Registration) encode() []byte { return slices.Concat(r.Tx[:], r.Deployer[:], r.Channel[:]) }

// A Record is what became of a settled transaction.
type Record struct {
	Height uint64
	Code   Code
}

// DecodeRecord reads the value of a transaction's leaf.
func DecodeRecord(raw []byte) (Record, error) {
	if len(raw) != 12 {
		return Record{}, badLeaf("transaction", raw)
	}
	return Record{binary.BigEndian.Uint64(raw), Code(binary.BigEndian.Uint32(raw[8:]))}, nil
}

func (r Record) encode() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, r.Height), uint32(r.Code))
}

// A Seat is one validator: the engine's key, and the account it earns for.
type Seat struct {
	Key      identity.PublicKey
	Operator identity.PublicKey
}

const seatSize = 64

func encodeSeats(seats []Seat) (out []byte) {
	for _, s := range seats {
		out = append(append(out, s.Key[:]...), s.Operator[:]...)
	}
	return out
}

func decodeSeats(raw []byte) (seats []Seat, err error) {
	if len(raw)%seatSize != 0 {
		return nil, badLeaf("validators", raw)
	}
	for seat := range slices.Chunk(raw, seatSize) {
		seats = append(seats, Seat{identity.PublicKey(seat[:32]), identity.PublicKey(seat[32:])})
	}
	return seats, nil
}

func seatOrder(a, b Seat) int { return bytes.Compare(a.Key[:], b.Key[:]) }

func badLeaf(what string, raw []byte) error {
	return fault.New(fault.Invalid, "%d bytes are no %s", len(raw), what).
		WithHint("the state is damaged, or whoever sent this lies")
}
