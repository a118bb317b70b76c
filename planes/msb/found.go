package msb

import (
	"fmt"
	"path/filepath"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// What a development network begins with, in whole TNK.
const ownFunds = "1000000"

// found gives the home's own development network, which it makes when it is not
// there: one validator, whose key lies in dir, and all funds with the operator,
// who is the admin too. Its name is random, so that nothing signed for one holds
// on another.
func found(dir string, operator identity.PublicKey) (bft.Genesis, error) {
	path := filepath.Join(dir, genesisFile)
	if g, err := readGenesis(path); err == nil {
		return g, nil
	}
	key, err := bft.ValidatorKey(dir)
	if err != nil {
		return bft.Genesis{}, err
	}
	funds, err := bus.ParseAmount(ownFunds)
	if err != nil {
		return bft.Genesis{}, err
	}
	g, err := chain.NewGenesis(bus.Genesis{
		Network: bft.RandomChainID("intercom-dev"), Development: true, Admin: operator.Address(),
		Accounts:   []bus.Funds{{Address: operator.Address(), Balance: funds}},
		Validators: []bus.Founder{{Key: key, Operator: operator.Address()}},
	}, time.Now().UTC())
	if err != nil {
		return bft.Genesis{}, err
	}
	if err := writeFile(path, g.Encode()); err != nil {
		return bft.Genesis{}, fmt.Errorf("keeping the genesis of a development network: %w", err)
	}
	return g, nil
}
