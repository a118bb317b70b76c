package chain

import (
	"encoding/json"
	"slices"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/planes/msb/bus"
)

// votes is the power of every validator: one seat, one vote.
const votes = 1

// NewGenesis makes the engine's genesis of a network that begins like that, at
// that time.
func NewGenesis(settings bus.Genesis, at time.Time) (bft.Genesis, error) {
	if err := settings.Check(); err != nil {
		return bft.Genesis{}, err
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return bft.Genesis{}, fault.New(fault.Internal, "the genesis has no text: %v", err)
	}
	g := bft.Genesis{ChainID: settings.Network, Time: at, App: text, BlockBytes: bft.DefaultBlockBytes}
	for _, f := range settings.Validators {
		g.Validators = append(g.Validators, bft.Validator{Key: f.Key, Power: votes})
	}
	return g, g.Check()
}

// Settings reads what a network begins with out of the engine's genesis. One
// whose engine and bus begin differently is a [fault.Invalid].
func Settings(g bft.Genesis) (bus.Genesis, error) {
	settings, err := bus.ParseGenesis(g.App)
	if err != nil {
		return bus.Genesis{}, err
	}
	same := func(v bft.Validator, f bus.Founder) bool { return v.Key == f.Key && v.Power == votes }
	if settings.Network != g.ChainID || !slices.EqualFunc(g.Validators, settings.Validators, same) {
		return bus.Genesis{}, fault.New(fault.Invalid, "the genesis of %q names other validators, powers or another network (%q) for its bus",
			g.ChainID, settings.Network).WithHint("make one with intercom validator init")
	}
	return settings, nil
}

// seatsOf are the validators as the engine counts them.
func seatsOf(from bus.Source) ([]bft.Validator, error) {
	seats, err := bus.Read(from).Validators()
	set := make([]bft.Validator, len(seats))
	for i, s := range seats {
		set[i] = bft.Validator{Key: s.Key, Power: votes}
	}
	return set, err
}

func stateHash(root merkle.Hash) bft.Hash { return bft.Hash(root) }
