package msb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

// What the faucet of a development network gives to a key, once, and to how many.
const (
	gift     = "100"
	maxGifts = 5000
)

// faucet gives the funds of a home's own development network away: once to each
// key, which it remembers for good, and to so many keys that half of the funds
// stay with the home.
type faucet struct {
	net    *network
	space  *store.Space
	amount bus.Amount

	mu    sync.Mutex
	given int
}

func openFaucet(n *network) (*faucet, error) {
	amount, err := bus.ParseAmount(gift)
	if err != nil {
		return nil, err
	}
	f := &faucet{net: n, space: n.store.Space("faucet"), amount: amount}
	return f, f.space.Scan(nil, nil, func(_, _ []byte) bool { f.given++; return true })
}

// give sends the gift to a key, or tells the transaction that did so earlier; one
// that came to nothing is made again.
func (f *faucet) give(ctx context.Context, to identity.PublicKey) (bus.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, known, err := f.space.Get(to[:])
	if err != nil {
		return bus.ID{}, err
	}
	if known && len(raw) == len(bus.ID{}) {
		id := bus.ID(raw)
		if e, err := f.net.outbox.Get(id); err != nil || !e.Ended() || e.State == outbox.Confirmed {
			return id, nil
		}
	}
	if !known && f.given >= maxGifts {
		return bus.ID{}, fault.New(fault.Limited, "the faucet has given to %d keys, which is all it does", f.given).
			WithHint("ask the owner of the development network for a transfer")
	}
	e, err := f.net.send(ctx, bus.Transfer{To: to, Amount: f.amount}, giftKey(to, raw))
	if err != nil {
		return bus.ID{}, err
	}
	b := f.space.Batch()
	b.Set(to[:], e.ID[:])
	if err := b.Commit(); err != nil {
		return bus.ID{}, err
	}
	if !known {
		f.given++
	}
	return e.ID, nil
}

// giftKey is the key of a gift in the outbox: a crash between outbox and faucet
// makes no second gift. The hash of the one before stands in it, which came to
// nothing.
func giftKey(to identity.PublicKey, before []byte) string {
	return fmt.Sprintf("gift %x", sha256.Sum256(canon.Preimage("intercom/msb/gift/v1", to[:], before)))
}
