package subnet

import (
	"context"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
)

// farBehind is from how many blocks on a newcomer fetches a snapshot instead of the
// blocks.
const farBehind = 500

// follow confirms what the chain confirms. A contradiction ends that, and not the
// member: its state can still be read, and says so.
func (m *member) follow(ctx context.Context) error {
	m.catchUp(ctx)
	err := m.log.Follow(ctx, m.genesis, m.near.servers(m))
	if err != nil && ctx.Err() == nil {
		m.plane.cfg.Hub.Publish("subnet_health", healthEvent{Subnet: m.bootstrap.String(), State: "conflict", Reason: fault.Of(err).Message})
		if fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// catchUp waits for a neighbour with the whole chain, without which nothing can be
// followed, and begins from its snapshot when that is far ahead. What goes wrong is
// no harm: the blocks bring the same.
func (m *member) catchUp(ctx context.Context) {
	for ctx.Err() == nil {
		keys, nodes := m.near.members()
		if len(nodes) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		for _, peer := range keys {
			if nodes[peer] == "" || m.near.heightOf(peer) < m.log.Status().Height+farBehind {
				continue
			}
			err := m.restore(ctx, peer)
			if err == nil {
				m.logger.Info("began from a snapshot", "peer", peer, "height", m.log.Status().Height)
				return
			}
			m.logger.Info("a snapshot could not be used; blocks are fetched instead", "peer", peer, "err", err)
		}
		return
	}
}

// restore takes a neighbour's snapshot, which is verified against the chain.
func (m *member) restore(ctx context.Context, peer identity.PublicKey) error {
	follower, err := bft.NewFollower(bft.FollowerConfig{Genesis: m.genesis, Servers: m.near.servers(m), Log: m.logger})
	if err != nil {
		return err
	}
	if _, err := follower.Sync(ctx); err != nil {
		return err
	}
	return m.talkFor(ctx, sessionTime, peer, snapshotProtocol, func(s stream) error { return m.log.Restore(ctx, s, follower) })
}
