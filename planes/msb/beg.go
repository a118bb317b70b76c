package msb

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// givePatience is how long a gift may take to arrive.
const givePatience = 15 * time.Second

// give sends the gift of the development network to a key: from this home, when
// the network is its own, else by its maker, whom it asks.
func (n *network) give(ctx context.Context, to identity.PublicKey) (bus.ID, error) {
	if n.faucet != nil {
		return n.faucet.give(ctx, to)
	}
	err := error(fault.New(fault.Unavailable, "the maker of network %q is not known", n.settings.Network))
	for _, maker := range founders(n.settings) {
		var id bus.ID
		if id, err = n.beg(ctx, maker, to); err == nil {
			return id, nil
		}
	}
	return bus.ID{}, err
}

// beg asks one peer's faucet.
func (n *network) beg(ctx context.Context, maker, to identity.PublicKey) (bus.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, faucetPatience)
	defer cancel()
	s, err := n.plane.cfg.Network.Open(ctx, maker, FaucetProtocol)
	if err != nil {
		return bus.ID{}, err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	ask, err := json.Marshal(plea{Network: n.settings.Network, To: to.Address()})
	if err != nil {
		return bus.ID{}, err
	}
	if _, err = s.Write(ask); err == nil {
		err = s.CloseWrite()
	}
	var raw []byte
	if err == nil {
		raw, err = io.ReadAll(io.LimitReader(s, maxAlms+1))
	}
	if err != nil {
		return bus.ID{}, fault.New(fault.Unavailable, "the faucet of %s did not answer: %v", maker.Address(), err).WithHint("call again")
	}
	return decodeAlms(raw)
}

// firstFunds asks the faucet for this peer, when it is a newcomer on somebody's
// development network: a key without an account cannot pay a fee.
func (n *network) firstFunds(ctx context.Context) error {
	if !n.settings.Development || n.faucet != nil {
		return nil
	}
	own := n.plane.cfg.Signer.PublicKey()
	if _, known, _, err := n.ledger.Account(ctx, own, 0); err != nil || known {
		return err
	}
	id, err := n.give(ctx, own)
	if err != nil {
		return err
	}
	return n.arrived(ctx, id)
}

// How often a light client looks whether a gift has arrived.
const (
	lookFirst = 20 * time.Millisecond
	lookMost  = 500 * time.Millisecond
)

// arrived waits until a gift is settled.
func (n *network) arrived(ctx context.Context, id bus.ID) error {
	ctx, cancel := context.WithTimeout(ctx, givePatience)
	defer cancel()
	for wait := lookFirst; ; wait = min(2*wait, lookMost) {
		if _, settled, _, err := n.ledger.Record(ctx, id); err == nil && settled {
			return nil
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "the faucet's gift %s has not arrived yet", id).WithHint("call again in a few seconds")
		case <-time.After(wait):
		}
	}
}
