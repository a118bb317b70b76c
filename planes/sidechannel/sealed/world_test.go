package sealed

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
	"intercom/core/p2p"
	"intercom/core/store"
)

func someone(name string) *identity.Identity {
	var seed [32]byte
	copy(seed[:], name)
	return identity.FromSeed(seed)
}

// invite is a test's invite: the inviter's key and its signature of the invitee's.
func invite(inviter *identity.Identity, invitee identity.PublicKey) []byte {
	key := inviter.PublicKey()
	return slices.Concat(key[:], invitee[:], inviter.Sign(canon.Preimage("test/invite", invitee[:])))
}

func revocation(inviter *identity.Identity, invitee identity.PublicKey) []byte {
	key := inviter.PublicKey()
	return slices.Concat(key[:], invitee[:], inviter.Sign(canon.Preimage("test/revoke", invitee[:])))
}

// gate is a Gate over invites and revocations of that kind.
type gate struct {
	mu       sync.Mutex
	self     identity.PublicKey
	inviters []identity.PublicKey
	ticket   []byte
	guests   map[identity.PublicKey]bool
	revoked  map[identity.PublicKey]bool
	known    [][]byte
	watch    []func()
}

func newGate(self identity.PublicKey, ticket []byte, inviters ...identity.PublicKey) *gate {
	return &gate{self: self, inviters: inviters, ticket: ticket, guests: map[identity.PublicKey]bool{}, revoked: map[identity.PublicKey]bool{}}
}

func (g *gate) signed(tag string, text []byte) (who identity.PublicKey, ok bool) {
	if len(text) != 128 {
		return who, false
	}
	by := identity.PublicKey(text[:32])
	return identity.PublicKey(text[32:64]), slices.Contains(g.inviters, by) && identity.Verify(by, canon.Preimage(tag, text[32:64]), text[64:])
}

func (g *gate) Inviter(key identity.PublicKey) bool { return slices.Contains(g.inviters, key) }
func (g *gate) Inviters() []identity.PublicKey      { return g.inviters }
func (g *gate) Ticket() []byte                      { return g.ticket }

func (g *gate) Belongs(key identity.PublicKey, _ time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Inviter(key) || (g.guests[key] || key == g.self && g.ticket != nil) && !g.revoked[key]
}

func (g *gate) Present(key identity.PublicKey, text []byte, _ time.Time) error {
	who, ok := g.signed("test/invite", text)
	if !ok || who != key {
		return errors.New("no invite")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.guests[key] = true
	return nil
}

func (g *gate) Revocations() [][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.known)
}

func (g *gate) Revoke(texts [][]byte, _ time.Time) (news bool) {
	g.mu.Lock()
	for _, text := range texts {
		again := slices.ContainsFunc(g.known, func(old []byte) bool { return bytes.Equal(old, text) })
		if who, ok := g.signed("test/revoke", text); ok && !again {
			g.revoked[who], news = true, true
			g.known = append(g.known, slices.Clone(text))
		}
	}
	watch := g.watch
	g.mu.Unlock()
	for _, f := range watch {
		if news {
			f()
		}
	}
	return news
}

func (g *gate) revokedKeys() map[identity.PublicKey]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.revoked)
}

func (g *gate) Watch(f func()) (stop func()) {
	g.watch = append(g.watch, f)
	return func() {}
}

// world is a network in memory whose links the test makes and cuts.
type world struct {
	mu    sync.Mutex
	nodes map[identity.PublicKey]*node
	links map[[2]identity.PublicKey]bool
}

type node struct {
	*world
	key  identity.PublicKey
	serv func(context.Context, identity.PublicKey, p2p.Stream)
}

func newWorld() *world {
	return &world{nodes: map[identity.PublicKey]*node{}, links: map[[2]identity.PublicKey]bool{}}
}

func (w *world) link(a, b *member, up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links[[2]identity.PublicKey{a.key(), b.key()}] = up
	w.links[[2]identity.PublicKey{b.key(), a.key()}] = up
}

func (n *node) Peers() []identity.PublicKey {
	n.mu.Lock()
	defer n.mu.Unlock()
	var keys []identity.PublicKey
	for pair, up := range n.links {
		if up && pair[0] == n.key && n.nodes[pair[1]] != nil {
			keys = append(keys, pair[1])
		}
	}
	return keys
}

func (n *node) Handle(_ string, f func(context.Context, identity.PublicKey, p2p.Stream)) { n.serv = f }

func (n *node) Open(_ context.Context, key identity.PublicKey, _ string) (p2p.Stream, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	other := n.nodes[key]
	if other == nil || !n.links[[2]identity.PublicKey{n.key, key}] {
		return nil, errors.New("not reached")
	}
	here, there := net.Pipe()
	go func() {
		other.serv(context.Background(), n.key, pipe{there})
		there.Close()
	}()
	return pipe{here}, nil
}

// pipe is a stream whose ends are in one process.
type pipe struct{ net.Conn }

func (p pipe) CloseWrite() error { return p.Close() }
func (p pipe) Reset() error      { return p.Close() }

// member is one peer in one channel.
type member struct {
	id     *identity.Identity
	gate   *gate
	keeper *Keeper
	circle *Circle
	store  *store.Store
	world  *world
	name   string
	stop   func()
}

func (m *member) key() identity.PublicKey { return m.id.PublicKey() }

const channelName = "garden"

// peer makes a peer that runs; invited says by whom, nil for an inviter.
func (w *world) peer(t testing.TB, name string, ticketBy *identity.Identity, inviters ...*identity.Identity) *member {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	m := &member{id: someone(name), store: s, world: w, name: name}
	var keys []identity.PublicKey
	for _, id := range inviters {
		keys = append(keys, id.PublicKey())
	}
	var ticket []byte
	if ticketBy != nil {
		ticket = invite(ticketBy, m.key())
	}
	m.gate = newGate(m.key(), ticket, keys...)
	m.start(t)
	return m
}

func (m *member) start(t testing.TB) {
	t.Helper()
	n := &node{world: m.world, key: m.key()}
	m.keeper = NewKeeper(n, m.id, m.store.Space("sealed"), slog.New(slog.NewTextHandler(t.Output(), nil)))
	m.world.mu.Lock()
	m.world.nodes[m.key()] = n
	m.world.mu.Unlock()
	var err error
	if m.circle, err = m.keeper.Open(channelName, m.gate, func() {}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.keeper.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		m.world.mu.Lock()
		delete(m.world.nodes, m.key())
		m.world.mu.Unlock()
		cancel()
		<-done
	})
}

// restart ends the peer and starts it on the same store, with a gate that has
// forgotten what others showed.
func (m *member) restart(t testing.TB) {
	m.stop()
	known := m.gate.Revocations()
	m.gate = newGate(m.key(), m.gate.ticket, m.gate.inviters...)
	m.gate.Revoke(known, time.Now())
	m.start(t)
}

// current is the record that a member has, or a zero one.
func (m *member) current() Record {
	if keys := m.circle.Keys(time.Now()); len(keys) > 0 {
		return keys[0].Record
	}
	return Record{}
}

// reads tells whether b can read what a sends now.
func reads(a, b *member) bool {
	keys := a.circle.Keys(time.Now())
	if len(keys) == 0 {
		return false
	}
	data := keys[0].Seal(a.id, []byte("hello"))
	for _, held := range b.circle.Keys(time.Now()) {
		if o, err := held.Open(data); err == nil && o.By(a.key()) {
			return true
		}
	}
	return false
}
