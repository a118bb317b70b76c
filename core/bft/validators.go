package bft

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/types"

	"intercom/core/identity"
)

func engineKey(key identity.PublicKey) ed25519.PubKey { return bytes.Clone(key[:]) }

// ourKey is an engine's key as ours; chains of ours know only ed25519.
func ourKey(key crypto.PubKey) (identity.PublicKey, bool) {
	raw, ok := key.(ed25519.PubKey)
	if !ok || len(raw) != ed25519.PubKeySize {
		return identity.PublicKey{}, false
	}
	return identity.PublicKey(raw), true
}

// checkSet tells why a set could not run a chain. What it refuses would make
// the engine stop for good.
func checkSet(set []Validator) error {
	if len(set) == 0 || len(set) > MaxValidators {
		return fmt.Errorf("%d validators, not 1 to %d", len(set), MaxValidators)
	}
	seen := map[identity.PublicKey]bool{}
	for _, v := range set {
		switch {
		case v.Power < 1 || v.Power > maxPower:
			return fmt.Errorf("validator %s with power %d, not 1 to %d", v.Key, v.Power, int64(maxPower))
		case v.Key.IsZero():
			return fmt.Errorf("a validator without a key")
		case seen[v.Key]:
			return fmt.Errorf("validator %s twice", v.Key)
		}
		seen[v.Key] = true
	}
	return nil
}

// engineSet makes the engine's set of a checked one. Its hash and the checks
// of signatures do not depend on whose turn it is to propose.
func engineSet(set []Validator) *types.ValidatorSet {
	list := make([]*types.Validator, len(set))
	for i, v := range set {
		list[i] = types.NewValidator(engineKey(v.Key), v.Power)
	}
	return types.NewValidatorSet(list)
}

// ourSet is an engine's set as values, by key.
func ourSet(set *types.ValidatorSet) []Validator {
	list := make([]Validator, 0, set.Size())
	for _, v := range set.Validators {
		if key, ok := ourKey(v.PubKey); ok {
			list = append(list, Validator{Key: key, Power: v.VotingPower})
		}
	}
	return sorted(list)
}

// sorted is the set in the order of its keys, the one order in which sets are
// written down.
func sorted(set []Validator) []Validator {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b Validator) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return set
}

// difference is what turns one set into another, by key: power 0 removes.
func difference(from, to []Validator) []abci.ValidatorUpdate {
	before := map[identity.PublicKey]int64{}
	for _, v := range from {
		before[v.Key] = v.Power
	}
	var changed []Validator
	for _, v := range to {
		if before[v.Key] != v.Power {
			changed = append(changed, v)
		}
		delete(before, v.Key)
	}
	for key := range before {
		changed = append(changed, Validator{Key: key})
	}
	slices.SortFunc(changed, func(a, b Validator) int {
		return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.Power, b.Power))
	})
	updates := make([]abci.ValidatorUpdate, len(changed))
	for i, v := range changed {
		updates[i] = abci.Ed25519ValidatorUpdate(bytes.Clone(v.Key[:]), v.Power)
	}
	return updates
}
