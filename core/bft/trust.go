package bft

import (
	"encoding/binary"
	"slices"

	"github.com/cometbft/cometbft/types"
)

// Trust is what somebody who follows a chain believes: which validators sign
// which heights. It begins with the genesis and grows by [Advance]. It knows no
// clock: whoever holds more than 2/3 of an old set's keys can forge headers for
// the heights of that set, as long as the set is trusted for them, and make a
// newcomer who starts from the genesis follow another chain. Two such histories
// that meet are [Evidence].
type Trust struct {
	ChainID string `json:"chain_id"`
	Sets    []Set  `json:"sets"` // by height; the first from 1
}

// Set is a set of validators and the height from which it signs.
type Set struct {
	From       int64       `json:"from"`
	Validators []Validator `json:"validators"` // by key
}

// MaxSets bounds how often a chain's validators may change before a follower
// needs a newer genesis.
const MaxSets = 10_000

// Trust is what a genesis makes one believe.
func (g Genesis) Trust() Trust {
	return Trust{ChainID: g.ChainID, Sets: []Set{{From: 1, Validators: sorted(g.Validators)}}}
}

// at is the set that signs the block of that height.
func (t Trust) at(height int64) (Set, bool) {
	for i := len(t.Sets) - 1; i >= 0; i-- {
		if t.Sets[i].From <= height {
			return t.Sets[i], true
		}
	}
	return Set{}, false
}

// Encode is the trust as bytes: the same for the same trust.
func (t Trust) Encode() []byte {
	out := putBlob([]byte{1}, []byte(t.ChainID))
	out = binary.BigEndian.AppendUint32(out, uint32(len(t.Sets)))
	for _, set := range t.Sets {
		out = binary.BigEndian.AppendUint64(out, uint64(set.From))
		out = putSet(out, set.Validators)
	}
	return out
}

// ParseTrust reads what Encode wrote; anything else is refused.
func ParseTrust(raw []byte) (Trust, error) {
	r := &reader{rest: raw}
	r.bad = r.u8() != 1
	t := Trust{ChainID: string(r.blob(maxChainID))}
	n := r.u32()
	if n == 0 || n > MaxSets {
		r.bad = true
	}
	for i := uint32(0); i < n && !r.bad; i++ {
		set := Set{From: r.number(), Validators: r.set()}
		if (i == 0 && set.From != 1) || (i > 0 && set.From <= t.Sets[i-1].From) {
			r.bad = true
		}
		t.Sets = append(t.Sets, set)
	}
	if err := r.end(); err != nil {
		return Trust{}, unproven("trust", err)
	}
	return t, nil
}

func putSet(out []byte, set []Validator) []byte {
	out = append(out, byte(len(set)))
	for _, v := range set {
		out = append(out, v.Key[:]...)
		out = binary.BigEndian.AppendUint64(out, uint64(v.Power))
	}
	return out
}

// set reads a set: by key, and one that can run a chain.
func (r *reader) set() []Validator {
	n := int(r.u8())
	var set []Validator
	for i := 0; i < n && !r.bad; i++ {
		key := r.hash()
		set = append(set, Validator{Key: [32]byte(key), Power: r.number()})
	}
	if !r.bad && (checkSet(set) != nil || !slices.Equal(set, sorted(set))) {
		r.bad = true
	}
	return set
}

// Advance takes an update, as [Node.Updates] gives it: a header of the newest
// set's heights, signed by more than 2/3 of that set, and the other set that it
// announces, which is trusted from the next height on. Updates are taken one by
// one, none skipped. What does not hold is [fault.Invalid].
func Advance(t Trust, update []byte) (Trust, error) {
	signed, next, err := decodeUpdate(update)
	if err == nil {
		err = t.verify(signed)
	}
	if err == nil {
		err = t.follows(signed, next)
	}
	if err != nil {
		return Trust{}, unproven("update of validators", err)
	}
	t.Sets = append(slices.Clip(t.Sets), Set{From: signed.Height + 1, Validators: next})
	return t, nil
}

func (t Trust) follows(signed *types.SignedHeader, next []Validator) error {
	switch newest := t.Sets[len(t.Sets)-1]; {
	case signed.Height < newest.From, len(t.Sets) >= MaxSets,
		string(signed.NextValidatorsHash) == string(signed.ValidatorsHash),
		string(signed.NextValidatorsHash) != string(engineSet(next).Hash()):
		return errMalformed
	}
	return nil
}

func encodeUpdate(signed []byte, next []Validator) []byte {
	return putSet(putBlob([]byte{1}, signed), sorted(next))
}

func decodeUpdate(raw []byte) (*types.SignedHeader, []Validator, error) {
	r := &reader{rest: raw}
	r.bad = r.u8() != 1
	signed, next := r.blob(maxSigned), r.set()
	if err := r.end(); err != nil {
		return nil, nil, err
	}
	sh, err := decodeSigned(signed)
	return sh, next, err
}
