package bft

import (
	"fmt"
	"log/slog"

	abci "github.com/cometbft/cometbft/abci/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"intercom/core/identity"
)

// voters knows the validators of the chain by the short addresses that the
// engine names them with, and turns a new set into the engine's difference.
type voters struct {
	state sm.Store
	log   *slog.Logger
	keys  map[[20]byte]identity.PublicKey // every one met so far
}

// key is the validator of that address at that height, or zero.
func (v *voters) key(height int64, address []byte) identity.PublicKey {
	if len(address) != 20 {
		return identity.PublicKey{}
	}
	if key, ok := v.keys[[20]byte(address)]; ok {
		return key
	}
	if state, err := v.state.Load(); err == nil {
		v.learn(state.LastValidators, state.Validators, state.NextValidators)
	}
	if _, ok := v.keys[[20]byte(address)]; !ok {
		// Only when old blocks are run again: the engine takes its time to
		// find an old set.
		if old, err := v.state.LoadValidators(height); err == nil {
			v.learn(old)
		}
	}
	return v.keys[[20]byte(address)]
}

func (v *voters) learn(sets ...*types.ValidatorSet) {
	for _, set := range sets {
		if set == nil {
			continue
		}
		for _, validator := range set.Validators {
			if key, ok := ourKey(validator.PubKey); ok {
				v.keys[[20]byte(validator.Address)] = key
			}
		}
	}
}

func (v *voters) guilty(misbehaviour []abci.Misbehavior) []identity.PublicKey {
	var keys []identity.PublicKey
	for _, m := range misbehaviour {
		if key := v.key(m.Height, m.Validator.Address); !key.IsZero() {
			keys = append(keys, key)
		}
	}
	return keys
}

// updates is the difference between the set that the chain knows last and the
// one the application wants. Every node refuses the same sets.
func (v *voters) updates(height int64, set []Validator) ([]abci.ValidatorUpdate, error) {
	if set == nil {
		return nil, nil
	}
	if err := checkSet(set); err != nil {
		v.log.Error("a set of validators that would stop the chain is ignored", "height", height, "err", err)
		return nil, nil
	}
	state, err := v.state.Load()
	if err != nil {
		return nil, err
	}
	if state.NextValidators == nil {
		return nil, fmt.Errorf("block %d: the engine knows no validators", height)
	}
	return difference(ourSet(state.NextValidators), set), nil
}
