package msb

import (
	"context"
	"path/filepath"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// How often a genesis is asked for: other peers come and go.
const (
	fetchFirst = 100 * time.Millisecond
	fetchMost  = 5 * time.Second
)

// genesis gives where the chosen network begins: as it is at hand, as a peer has
// it, or, for the home's own, as it is made now.
func (p *Plane) genesis(ctx context.Context, from *servers) (bft.Genesis, error) {
	c := p.cfg.Choice
	if !c.named {
		return found(c.home(), p.cfg.Signer.PublicKey())
	}
	path := filepath.Join(c.home(), genesisFile)
	if c.genesis != nil {
		return *c.genesis, writeFile(path, c.genesis.Encode())
	}
	if g, err := readGenesis(path); err == nil && g.Hash() == c.hash {
		return g, nil // fetched by an earlier attempt
	}
	for wait := fetchFirst; ; wait = min(2*wait, fetchMost) {
		for _, s := range from.list() {
			if g, err := p.ask(ctx, s); err == nil {
				return g, writeFile(path, g.Encode())
			}
		}
		select {
		case <-ctx.Done():
			return bft.Genesis{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// askPatience bounds one server's answer.
const askPatience = 5 * time.Second

// ask fetches the genesis from one server. One with another hash is no lie: that
// server may run another network.
func (p *Plane) ask(ctx context.Context, s bft.Server) (bft.Genesis, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	g, err := bft.AskGenesis(ctx, s, p.cfg.Choice.hash)
	if err != nil {
		p.log.Debug("a peer did not give the genesis of the settlement network", "peer", s.Name, "err", err)
		return bft.Genesis{}, err
	}
	_, err = chain.Settings(g)
	return g, err
}

// founders are the operators of the first validators: of a development network
// the peer that made it.
func founders(s bus.Genesis) (keys []identity.PublicKey) {
	for _, f := range s.Validators {
		if key, err := identity.ParseAddress(f.Operator); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}
