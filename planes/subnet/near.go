package subnet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

const (
	lookAround   = 2 * time.Second  // how often peers are looked at
	compareAgain = 10 * time.Second // how often what waits is compared with a neighbour's
	greetAgain   = time.Minute      // how often a neighbour is asked how it stands
	deferral     = 5 * time.Minute  // how long one that does not answer is left alone
	maxNeighbour = 64
	atOnce       = 8 // conversations that this peer begins
)

// neighbours are the connected peers of this subnet.
type neighbours struct {
	mu    sync.Mutex
	known map[identity.PublicKey]*neighbour
}

// neighbour is what is known of a peer.
type neighbour struct {
	member   bool // it answered a greeting
	node     string
	height   int64
	greeted  time.Time
	compared time.Time
	later    time.Time // not to be greeted before
}

func newNeighbours() *neighbours { return &neighbours{known: map[identity.PublicKey]*neighbour{}} }

// note remembers a greeting.
func (n *neighbours) note(peer identity.PublicKey, g greeting, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := n.known[peer]
	if at == nil {
		if len(n.known) >= maxNeighbour {
			return
		}
		at = &neighbour{}
		n.known[peer] = at
	}
	at.member, at.node, at.height, at.greeted = true, g.Node, g.Height, now
}

// miss remembers that a peer did not answer.
func (n *neighbours) miss(peer identity.PublicKey, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at := n.known[peer]; at != nil {
		at.member, at.later = false, now.Add(deferral)
	} else if len(n.known) < maxNeighbour {
		n.known[peer] = &neighbour{later: now.Add(deferral)}
	}
}

// due forgets who is gone and tells whom to greet and with whom to compare.
func (n *neighbours) due(connected []identity.PublicKey, now time.Time) (greet, compare []identity.PublicKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key := range n.known {
		if !slices.Contains(connected, key) {
			delete(n.known, key)
		}
	}
	for _, key := range connected {
		at := n.known[key]
		switch {
		case at == nil && len(n.known) < maxNeighbour, at != nil && !at.member && now.After(at.later),
			at != nil && at.member && now.Sub(at.greeted) >= greetAgain:
			greet = append(greet, key)
		}
		if at != nil && at.member && now.Sub(at.compared) >= compareAgain {
			at.compared = now
			compare = append(compare, key)
		}
	}
	return greet, compare
}

// members lists the neighbours, those with the whole chain first.
func (n *neighbours) members() (keys []identity.PublicKey, nodes map[identity.PublicKey]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	nodes = map[identity.PublicKey]string{}
	for key, at := range n.known {
		if at.member {
			keys = append(keys, key)
			if at.node != "" {
				nodes[key] = at.node
			}
		}
	}
	slices.SortFunc(keys, func(a, b identity.PublicKey) int {
		if first, second := nodes[a] != "", nodes[b] != ""; first != second {
			if first {
				return -1
			}
			return 1
		}
		return slices.Compare(a[:], b[:])
	})
	return keys, nodes
}

// heightOf tells where a neighbour stood when it was greeted.
func (n *neighbours) heightOf(peer identity.PublicKey) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at := n.known[peer]; at != nil {
		return at.height
	}
	return 0
}

// servers are the neighbours whom a follower asks for blocks.
func (n *neighbours) servers(m *member) func() []bft.Server {
	return func() (list []bft.Server) {
		keys, nodes := n.members()
		for _, key := range keys {
			if nodes[key] != "" {
				list = append(list, bft.Server{Name: key.String(), Open: m.dial(key, chainProtocol)})
			}
		}
		return list
	}
}

// dial opens streams to a peer.
func (m *member) dial(peer identity.PublicKey, purpose string) func(context.Context) (io.ReadWriteCloser, error) {
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		s, err := m.plane.cfg.Network.Open(ctx, peer, m.protocol(purpose))
		if err != nil {
			return nil, err
		}
		if end, ok := ctx.Deadline(); ok && purpose != engineProtocol {
			_ = s.SetDeadline(end)
		}
		return s, nil
	}
}

// meet finds the subnet's peers and keeps in step with them until ctx ends.
func (m *member) meet(ctx context.Context) error {
	namespace := sha256.Sum256(append([]byte("intercom/subnet/v1\x00"), m.bootstrap[:]...))
	defer m.plane.cfg.Network.Rendezvous(namespace)()
	tick := time.NewTicker(lookAround)
	defer tick.Stop()
	for ctx.Err() == nil {
		greet, compare := m.near.due(m.plane.cfg.Network.Peers(), time.Now())
		group := new(errgroup.Group)
		group.SetLimit(atOnce)
		for _, peer := range greet {
			group.Go(func() error { m.greet(ctx, peer); return nil })
		}
		for _, peer := range compare {
			group.Go(func() error { m.compare(ctx, peer); return nil })
		}
		_ = group.Wait()
		m.connect()
		m.applyToWrite(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-m.plane.poke:
		}
	}
	return nil
}

func (m *member) greet(ctx context.Context, peer identity.PublicKey) {
	theirs, err := m.exchange(ctx, peer, m.greeting())
	if err != nil {
		m.near.miss(peer, time.Now())
		if fault.KindOf(err) == fault.Conflict {
			m.logger.Warn("a peer of the subnet cannot be used", "peer", peer, "err", err)
		}
		return
	}
	m.near.note(peer, theirs, time.Now())
}

// connect has the engine stay connected with the other nodes.
func (m *member) connect() {
	if m.node == nil {
		return
	}
	_, nodes := m.near.members()
	var peers []bft.Peer
	for key, id := range nodes {
		peers = append(peers, bft.Peer{ID: id, Dial: m.dial(key, engineProtocol)})
	}
	slices.SortFunc(peers, func(a, b bft.Peer) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	if err := m.node.SetPeers(peers); err != nil {
		m.logger.Debug("the engine does not take its peers", "err", err)
	}
}

// compare brings what waits in step with a neighbour's.
func (m *member) compare(ctx context.Context, peer identity.PublicKey) {
	err := m.talk(ctx, peer, tailProtocol, func(s stream) error { return m.log.Exchange(ctx, s, peer) })
	if err != nil && ctx.Err() == nil {
		m.logger.Debug("what waits could not be compared", "peer", peer, "err", err)
	}
}

// offer brings entries to all neighbours at once; see [log.Config].
func (m *member) offer(ctx context.Context, entries []*feed.Entry) {
	keys, _ := m.near.members()
	group := new(errgroup.Group)
	for _, peer := range keys[:min(len(keys), 16)] {
		group.Go(func() error {
			err := m.talkFor(ctx, pushTime, peer, pushProtocol, func(s stream) error { return push(s, entries) })
			if err != nil && ctx.Err() == nil {
				m.logger.Debug("entries were not taken", "peer", peer, "err", err)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// push writes entries, as many as one stream takes, and waits until they were read.
func push(s stream, entries []*feed.Entry) error {
	left := maxPushedBytes
	for _, e := range entries[:min(len(entries), maxPushed)] {
		raw := e.Encode()
		if left -= int64(len(raw)); left < 0 {
			break // the others have their turn
		}
		if _, err := s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)); err != nil {
			return err
		}
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, io.LimitReader(s, 1))
	return err
}

// servePush takes entries.
func (m *member) servePush(ctx context.Context, remote identity.PublicKey, s stream) error {
	entries, err := readPushed(s)
	if err != nil {
		return err
	}
	return m.log.Take(ctx, entries, remote)
}

func readPushed(from io.Reader) (entries []*feed.Entry, err error) {
	var size [4]byte
	for left := maxPushedBytes; len(entries) < maxPushed; {
		if _, err := io.ReadFull(from, size[:]); err == io.EOF {
			return entries, nil
		} else if err != nil {
			return nil, err
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if left -= n; n > int64(feed.MaxEntry) || left < 0 {
			return nil, fault.New(fault.Invalid, "more is pushed than is read")
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(from, raw); err != nil {
			return nil, err
		}
		e, err := feed.Decode(raw)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
