package bus

import (
	"crypto/sha256"
	"slices"

	"intercom/core/identity"
)

// MaxValidators is how many seats there are at most.
const MaxValidators = 100

// An EngineAddress is how the engine names a validator in blocks and evidence:
// the first 20 bytes of the SHA-256 of its key.
type EngineAddress [20]byte

// AddressOf is the address of an engine's key.
func AddressOf(key identity.PublicKey) EngineAddress {
	sum := sha256.Sum256(key[:])
	return EngineAddress(sum[:20])
}

// A Change is a validator to add, with power 1, or to remove, with power 0.
type Change struct {
	Key   identity.PublicKey
	Power int64
}

// differences is what leads from one set of seats to the other, ascending by
// key: no key twice, none removed that was not there. A key whose operator alone
// changed is none.
func differences(before, after []Seat) (changes []Change) {
	holds := func(seats []Seat, s Seat) bool {
		_, found := slices.BinarySearchFunc(seats, s, seatOrder)
		return found
	}
	for _, s := range before {
		if !holds(after, s) {
			changes = append(changes, Change{s.Key, 0})
		}
	}
	for _, s := range after {
		if !holds(before, s) {
			changes = append(changes, Change{s.Key, 1})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return seatOrder(Seat{Key: a.Key}, Seat{Key: b.Key}) })
	return changes
}

// seat finds who sits under that address.
func (l *ledger) seat(address EngineAddress) (Seat, bool) {
	i := slices.IndexFunc(l.seats, func(s Seat) bool { return AddressOf(s.Key) == address })
	if i < 0 {
		return Seat{}, false
	}
	return l.seats[i], true
}

func (l *ledger) taken(key identity.PublicKey) bool {
	_, found := slices.BinarySearchFunc(l.seats, Seat{Key: key}, seatOrder)
	return found
}

func (l *ledger) sit(s Seat) {
	at, _ := slices.BinarySearchFunc(l.seats, s, seatOrder)
	l.seats, l.moved = slices.Insert(slices.Clone(l.seats), at, s), true
}

// unseat ends an account's being a validator, if it is one: its stake goes back.
func (l *ledger) unseat(key identity.PublicKey, role Role) {
	h := l.change(key)
	l.seats = slices.DeleteFunc(slices.Clone(l.seats), func(s Seat) bool { return s.Key == h.ValidatorKey })
	l.moved = true
	l.give(key, h.Stake)
	h.Stake, h.ValidatorKey, h.Role = Amount{}, identity.PublicKey{}, role
}

// punish removes a validator that the engine proved to have signed two blocks of
// one height, and destroys its stake. Nothing else is punished. The last one
// stays, since without it there is no network, but loses its stake.
func (l *ledger) punish(address EngineAddress) {
	s, ok := l.seat(address)
	if !ok {
		return // already gone
	}
	h := l.change(s.Operator)
	l.burn(h.Stake)
	h.Stake = Amount{}
	if len(l.seats) > 1 {
		l.unseat(s.Operator, Reader)
	}
}
