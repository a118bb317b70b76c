package msb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
	"intercom/planes/msb/outbox"
)

// What follows is the plane as a subnet uses it, through a port of its own. It
// settles commands here and has its contract believe them by the functions of
// package settle, under a trust that begins with Genesis and goes on by Updates.

// Genesis is where the network begins, as settle.Begin reads it. The first call
// makes or fetches the network, like an operation.
func (p *Plane) Genesis(ctx context.Context) ([]byte, error) {
	n, err := p.use(ctx)
	if err != nil {
		return nil, err
	}
	return n.ledger.Genesis().Encode(), nil
}

// Updates are the changes of the validators from that height on, oldest first, for
// settle.Advance; of many a part, after which one asks again.
func (p *Plane) Updates(ctx context.Context, from int64) ([][]byte, error) {
	n, err := p.use(ctx)
	if err != nil {
		return nil, err
	}
	return n.ledger.Updates(ctx, from)
}

// Deploy registers the subnet of a bootstrap key, paid by this peer, and gives the
// transaction's hash as soon as it is on this peer's disk. One that is registered
// already is a [fault.Conflict].
func (p *Plane) Deploy(ctx context.Context, bootstrap bus.Signer, channel [32]byte) (hash [32]byte, err error) {
	n, err := p.use(ctx)
	if err != nil {
		return hash, err
	}
	subnet := bootstrap.PublicKey()
	body := bus.ProveDeployment(bootstrap, n.settings.Network, n.plane.cfg.Signer.PublicKey(), channel)
	return n.settle(ctx, "deploy", [][]byte{subnet[:], channel[:]}, body, func() error {
		switch r, known, _, err := n.ledger.Deployment(ctx, subnet); {
		case err != nil:
			return err
		case known:
			return fault.New(fault.Conflict, "subnet %s is registered on network %q already, by transaction %s", subnet, n.settings.Network, r.Tx).
				WithHint("use it as it is, or take another bootstrap key")
		}
		return nil
	})
}

// Deployed tells whether a subnet is registered.
func (p *Plane) Deployed(ctx context.Context, subnet identity.PublicKey) (bool, error) {
	n, err := p.use(ctx)
	if err != nil {
		return false, err
	}
	_, known, _, err := n.ledger.Deployment(ctx, subnet)
	return known, err
}

// Settle sends the transaction that settles a command of a registered subnet, and
// gives its hash as soon as it is on this peer's disk. Wish tells one payment from
// another for an equal command: repeated with the same wish it gives the same
// transaction, also after a restart, until that has failed or expired; then it
// makes another one.
func (p *Plane) Settle(ctx context.Context, wish [32]byte, subnet identity.PublicKey, command [32]byte) (hash [32]byte, err error) {
	n, err := p.use(ctx)
	if err != nil {
		return hash, err
	}
	body := bus.Contract{Subnet: subnet, Command: command}
	return n.settle(ctx, "settle", [][]byte{wish[:], subnet[:], command[:]}, body, func() error {
		_, known, at, err := n.ledger.Deployment(ctx, subnet)
		if err == nil && !known {
			err = fault.New(fault.NotFound, "subnet %s is not registered on network %q at height %d", subnet, n.settings.Network, at).
				WithHint("deploy it first: deploy_subnet")
		}
		return err
	})
}

// attempts bounds how often one thing is tried with a transaction of its own.
const attempts = 100

// settle puts the transaction of something that is wanted once; if what was put
// for it before has ended in vain, a new one. Check is asked before that is signed.
func (n *network) settle(ctx context.Context, what string, of [][]byte, body bus.Body, check func() error) (hash [32]byte, err error) {
	h := sha256.New()
	for _, part := range of { // all of one length
		h.Write(part)
	}
	name := h.Sum(nil)
	for i := range attempts {
		key := fmt.Sprintf("%s %x %d", what, name, i)
		e, err := n.outbox.Put(ctx, key, name, func() (*bus.Signed, error) {
			if err := check(); err != nil {
				return nil, err
			}
			return n.prepare(ctx, body)
		})
		if err != nil || e.State != outbox.Failed && e.State != outbox.Expired {
			return e.ID, err
		}
	}
	return hash, fault.New(fault.Limited, "%d transactions for the same have ended in vain", attempts).
		WithHint("see with tx_status why, and make another command")
}

// Proof waits until a transaction is settled, of whatever peer, and gives the
// proof of it for settle.Verify. One that ended otherwise is a [fault.Conflict]
// that names the code: Settle then makes a new one.
func (p *Plane) Proof(ctx context.Context, hash [32]byte) ([]byte, error) {
	n, err := p.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.awaitEnd(ctx, hash); err != nil {
		return nil, err
	}
	s, err := n.status(ctx, hash)
	if err != nil {
		return nil, err
	}
	if s.State != outbox.Confirmed {
		return nil, fault.New(fault.Conflict, "transaction %s ended as %s %s on network %q", bus.ID(hash), s.State, s.CodeName, n.settings.Network).
			WithHint("settle it again when the cause is gone")
	}
	return proofOf(ctx, n.ledger, hash)
}

// proofOf asks until there is the block that carries the result, which comes by
// itself, and a server that has it.
func proofOf(ctx context.Context, l chain.Ledger, id bus.ID) ([]byte, error) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, raw, err := l.Prove(ctx, id)
		if kind := fault.KindOf(err); kind != fault.NotFound && kind != fault.Unavailable {
			return raw, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the proof of transaction %s: %w", id, ctx.Err())
		}
	}
}
