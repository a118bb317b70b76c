package validator

import (
	"maps"
	"slices"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// Founding is what a network begins with.
type Founding struct {
	Network    string            // its name, which nobody else's may be
	Validators []Card            // one vote each
	Balances   map[string]string // of addresses, in TNK
	Admin      string            // address of who whitelists and bans; "" for nobody, for ever
}

// Found makes the genesis of a network that begins at that time.
func Found(f Founding, at time.Time) (bft.Genesis, error) {
	settings := bus.Genesis{Network: f.Network, Admin: f.Admin}
	for _, address := range slices.Sorted(maps.Keys(f.Balances)) {
		amount, err := bus.ParseAmount(f.Balances[address])
		if err != nil {
			return bft.Genesis{}, fault.New(fault.Invalid, "balance of %s: %v", address, err).
				WithHint("write amounts as decimal text with at most %d digits behind the point", bus.Decimals)
		}
		settings.Accounts = append(settings.Accounts, bus.Funds{Address: address, Balance: amount})
	}
	for _, card := range f.Validators {
		settings.Validators = append(settings.Validators, bus.Founder{Key: card.Key, Operator: card.Operator})
	}
	return chain.NewGenesis(settings, at.UTC())
}
