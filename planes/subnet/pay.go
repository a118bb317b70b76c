package subnet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/planes/subnet/machine"
)

// maxPaying bounds how many transactions of this peer are on their way.
const maxPaying = 256

// paying are the commands whose payment is on its way.
type paying struct {
	mu    sync.Mutex
	calls map[feed.ID][32]byte // command → hash of the transaction
	queue chan feed.ID
}

func newPaying() *paying {
	return &paying{calls: map[feed.ID][32]byte{}, queue: make(chan feed.ID, maxPaying)}
}

// pay settles a command of this peer and gives the transaction's hash; the rest goes
// on by itself.
func (m *member) pay(ctx context.Context, id feed.ID, c *machine.Command) ([32]byte, error) {
	port := m.plane.cfg.Settlement
	if err := m.sameNetwork(ctx); err != nil {
		return [32]byte{}, err
	}
	if err := m.deployed(ctx); err != nil {
		return [32]byte{}, err
	}
	hash, err := port.Settle(ctx, id, m.bootstrap, machine.CommandHash(m.bootstrap, c.Type, c.Value))
	if err != nil {
		return hash, err
	}
	m.paying.mu.Lock()
	defer m.paying.mu.Unlock()
	if _, known := m.paying.calls[id]; known {
		return hash, nil
	}
	if len(m.paying.calls) >= maxPaying {
		return hash, fault.New(fault.Limited, "%d transactions wait to be settled", maxPaying).WithHint("it is finished at the next start; or wait")
	}
	m.paying.calls[id] = hash
	m.paying.queue <- id // it has room for as many as there are calls
	return hash, nil
}

// sameNetwork makes sure that this peer pays where the subnet settles.
func (m *member) sameNetwork(ctx context.Context) error {
	genesis, err := m.plane.cfg.Settlement.Genesis(ctx)
	if err != nil || sha256.Sum256(genesis) == m.first.Settlement.Genesis.Hash {
		return err
	}
	return fault.New(fault.Conflict, "the subnet settles on network %q, this peer on another one", m.first.Settlement.Network).
		WithHint("start it without --msb-genesis in a home that has no settlement network of its own, or name the subnet's")
}

// deployed makes sure that the subnet is registered where it settles: its own peer
// does that by itself.
func (m *member) deployed(ctx context.Context) error {
	port := m.plane.cfg.Settlement
	known, err := port.Deployed(ctx, m.bootstrap)
	if err != nil || known {
		return err
	}
	if m.bootstrap != m.self {
		return fault.New(fault.Unavailable, "subnet %s is not registered on network %q", m.bootstrap, m.first.Settlement.Network).
			WithHint("the peer that made it does that: deploy_subnet")
	}
	hash, err := m.deploy(ctx)
	if err != nil {
		return err
	}
	_, err = port.Proof(ctx, hash)
	return err
}

func (m *member) deploy(ctx context.Context) ([32]byte, error) {
	return m.plane.cfg.Settlement.Deploy(ctx, m.plane.cfg.Signer, m.channel())
}

// channel is the subnet's channel as the settlement network keeps it: repeated or
// cut to 32 bytes (upstream 7).
func (m *member) channel() (c [32]byte) {
	name := m.plane.cfg.Choice.Channel
	for i := range c {
		c[i] = name[i%len(name)]
	}
	return c
}

// abandon makes sure that a command which could not be paid, as its caller was told,
// is not paid at a later start. It waits in the state and does nothing.
func (m *member) abandon(id feed.ID) error {
	b := m.store.Space("abandoned").Batch()
	b.Set(id[:], nil)
	return b.Commit()
}

func (m *member) abandoned(id feed.ID) bool {
	_, ok, err := m.store.Space("abandoned").Get(id[:])
	return ok || err != nil
}

// finish brings paid commands to their end until ctx ends: those of this run, and
// at its beginning those that an earlier one left.
func (m *member) finish(ctx context.Context) error {
	if m.first.Settlement == nil {
		return nil
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { m.resume(ctx) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case id := <-m.paying.queue:
			running.Go(func() { m.prove(ctx, id) })
		}
	}
}

// resume pays for commands of this peer that wait. One that was paid for is not paid
// again.
func (m *member) resume(ctx context.Context) {
	state, err := m.log.State()
	if err != nil {
		return
	}
	ids, err := machine.Commands(state, m.self)
	if err != nil {
		m.logger.Error("the commands that wait cannot be read", "err", err)
		return
	}
	for _, id := range ids {
		c, ok, err := machine.CommandIn(state, id)
		if err == nil && ok && !m.abandoned(id) {
			_, err = m.pay(ctx, id, c)
		}
		if err != nil && ctx.Err() == nil {
			m.logger.Warn("a command that waits is not paid", "command", id, "err", err)
		}
	}
}

// prove waits for the proof that a command was paid and appends it, until that is
// done, the payment has failed, or ctx ends.
func (m *member) prove(ctx context.Context, id feed.ID) {
	m.paying.mu.Lock()
	hash := m.paying.calls[id]
	m.paying.mu.Unlock()
	defer func() {
		m.paying.mu.Lock()
		delete(m.paying.calls, id)
		m.paying.mu.Unlock()
	}()
	tx := hex.EncodeToString(hash[:])
	for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 30*time.Second) {
		err := m.settleOnce(ctx, id, hash)
		switch fault.KindOf(err) {
		case "":
			return
		case fault.Conflict, fault.Denied:
			m.logger.Error("a transaction has ended in vain", "tx", tx, "err", err)
			m.plane.cfg.Hub.Publish("subnet_tx", txEvent{Tx: tx, State: failed, Settled: true, Requester: m.self.String(), Error: fault.Of(err).Message})
			return
		}
		m.logger.Debug("a transaction is not settled yet", "tx", tx, "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (m *member) settleOnce(ctx context.Context, id feed.ID, hash [32]byte) error {
	proof, err := m.plane.cfg.Settlement.Proof(ctx, hash)
	if err != nil {
		return err
	}
	if _, ok := m.await(ctx, id, streamTime); !ok {
		return fault.New(fault.Unavailable, "command %s is not confirmed yet", id)
	}
	state, err := m.log.State()
	if err != nil {
		return err
	}
	if _, done, err := machine.TransactionOf(state, hex.EncodeToString(hash[:])); err != nil || done {
		return err // another peer was quicker
	}
	if err := m.advance(ctx); err != nil {
		return err
	}
	e, err := m.append(ctx, &machine.Settled{Command: id, Proof: proof})
	if err != nil {
		return err
	}
	if _, ok := m.await(ctx, e.ID(), streamTime); !ok {
		return fault.New(fault.Unavailable, "the proof of transaction %x is not confirmed yet", hash)
	}
	return nil
}

// advance brings changes of the settlement network's validators into the state.
func (m *member) advance(ctx context.Context) error {
	local, err := m.log.Local(ctx)
	if err != nil {
		return err
	}
	s, err := machine.SettingsOf(local)
	if err != nil || len(s.Trust) == 0 {
		return err
	}
	updates, err := m.plane.cfg.Settlement.Updates(ctx, 1)
	if err != nil {
		return err
	}
	for _, u := range updates {
		next, err := m.plane.cfg.Settlement.Advance(s.Trust, u)
		if err != nil {
			continue // the state has it
		}
		if _, err := m.append(ctx, &machine.MsbSet{Update: u}); err != nil {
			return err
		}
		s.Trust = next
	}
	return nil
}
