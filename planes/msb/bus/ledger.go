package bus

import (
	"encoding/binary"

	"intercom/core/identity"
	"intercom/core/merkle"
)

// ledger is a state under change. It keeps what it has read of accounts and
// gathers what changes until [ledger.flush]. An error of the source stays, stops
// all further reading and is told at the end: whoever executes a block on a
// broken disk must not go on.
type ledger struct {
	State
	err error

	network    string
	height     uint64
	operator   identity.PublicKey // of the proposer; zero if nobody earns
	seats      []Seat
	admin      identity.PublicKey // zero without one
	burned     Amount
	accounts   map[identity.PublicKey]*holding
	registered map[identity.PublicKey]Registration // in this block
	records    map[ID]Record                       // in this block
	licenses   map[uint32]identity.PublicKey       // in this block
	moved      bool                                // the seats changed
}

// holding is an account that was read.
type holding struct {
	Account
	exists, changed bool
}

func open(from Source, height uint64) *ledger {
	l := &ledger{
		State:      Read(from),
		height:     height,
		accounts:   make(map[identity.PublicKey]*holding),
		registered: make(map[identity.PublicKey]Registration),
		records:    make(map[ID]Record),
		licenses:   make(map[uint32]identity.PublicKey),
	}
	l.network = keep(l, l.Network)
	l.seats = keep(l, l.Validators)
	l.burned = keep(l, l.Burned)
	l.admin, _ = keep2(l, l.Admin)
	return l
}

func keep[T any](l *ledger, read func() (T, error)) T {
	value, _ := keep2(l, func() (T, bool, error) { v, err := read(); return v, true, err })
	return value
}

func keep2[T any](l *ledger, read func() (T, bool, error)) (value T, ok bool) {
	if l.err != nil {
		return value, false
	}
	value, ok, l.err = read()
	return value, ok
}

// account gives an account to read; change gives it to change.
func (l *ledger) account(key identity.PublicKey) *holding {
	if h := l.accounts[key]; h != nil {
		return h
	}
	h := new(holding)
	h.Account, h.exists = keep2(l, func() (Account, bool, error) { return l.Account(key) })
	l.accounts[key] = h
	return h
}

func (l *ledger) change(key identity.PublicKey) *holding {
	h := l.account(key)
	h.exists, h.changed = true, true
	return h
}

func (l *ledger) deployment(subnet identity.PublicKey) (Registration, bool) {
	if r, ok := l.registered[subnet]; ok {
		return r, true
	}
	return keep2(l, func() (Registration, bool, error) { return l.Deployment(subnet) })
}

func (l *ledger) settled(id ID) bool {
	if _, ok := l.records[id]; ok {
		return true
	}
	_, ok := keep2(l, func() (Record, bool, error) { return l.Tx(id) })
	return ok
}

// take and give move amounts whose sums were checked before: all of them come
// out of a supply below 2^128, so they can be neither short nor too much.

func (l *ledger) take(key identity.PublicKey, amount Amount) {
	h := l.change(key)
	h.Balance, _ = h.Balance.Sub(amount)
}

func (l *ledger) give(key identity.PublicKey, amount Amount) {
	h := l.change(key)
	h.Balance, _ = h.Balance.Add(amount)
}

func (l *ledger) burn(amount Amount) { l.burned, _ = l.burned.Add(amount) }

// license gives an account its number, unless it has one.
func (l *ledger) license(key identity.PublicKey) {
	h := l.change(key)
	if h.License == 0 {
		h.License = keep(l, l.Licenses) + uint32(len(l.licenses)) + 1
		l.licenses[h.License] = key
	}
}

// flush puts all changes into the update.
func (l *ledger) flush(u *merkle.Update) error {
	if l.err == nil && len(l.licenses) > 0 {
		n := keep(l, l.Licenses) + uint32(len(l.licenses))
		u.Set([]byte(leafLicenses), binary.BigEndian.AppendUint32(nil, n))
	}
	if l.err != nil {
		return l.err
	}
	for key, h := range l.accounts {
		if h.changed {
			u.Set(AccountLeaf(key), EncodeAccount(h.Account))
		}
	}
	for subnet, r := range l.registered {
		u.Set(DeploymentLeaf(subnet), r.encode())
	}
	for id, r := range l.records {
		u.Set(TxLeaf(id), r.encode())
	}
	for number, key := range l.licenses {
		u.Set(licenseLeaf(number), key[:])
	}
	if l.moved {
		u.Set([]byte(leafValidators), encodeSeats(l.seats))
	}
	u.Set([]byte(leafBurned), l.burned.append(nil))
	u.Set([]byte(leafHeight), binary.BigEndian.AppendUint64(nil, l.height))
	return nil
}
