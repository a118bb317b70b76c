package sidechannel

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/core/store"
)

// simnet is a network in memory. What is published waits until the test lets it
// travel, in any order, any number of times, altered or not at all.
type simnet struct {
	mu      sync.Mutex
	nodes   map[identity.PublicKey]*simnode
	linked  map[[2]identity.PublicKey]bool
	waiting []packet
}

type packet struct {
	from, to identity.PublicKey
	topic    string
	data     []byte
}

type simnode struct {
	net        *simnet
	key        identity.PublicKey
	topics     map[string]*simtopic
	handlers   map[string]func(context.Context, identity.PublicKey, p2p.Stream)
	address    string
	rendezvous int
	deny       error // what Join answers
}

type simtopic struct {
	node    *simnode
	name    string
	handler p2p.Handler
	deny    error // what Publish answers
}

func newSimnet() *simnet {
	return &simnet{nodes: map[identity.PublicKey]*simnode{}, linked: map[[2]identity.PublicKey]bool{}}
}

func (n *simnet) node(key identity.PublicKey) *simnode {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := &simnode{net: n, key: key, topics: map[string]*simtopic{}, handlers: map[string]func(context.Context, identity.PublicKey, p2p.Stream){}}
	n.nodes[key] = node
	return node
}

func (n *simnet) link(a, b identity.PublicKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.linked[[2]identity.PublicKey{a, b}], n.linked[[2]identity.PublicKey{b, a}] = true, true
}

// take gives the packets that wait, and leaves none.
func (n *simnet) take() []packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	waiting := n.waiting
	n.waiting = nil
	return waiting
}

// flush lets everything travel, what is forwarded too.
func (n *simnet) flush() {
	for waiting := n.take(); len(waiting) > 0; waiting = n.take() {
		for _, p := range waiting {
			n.arrive(p)
		}
	}
}

// arrive brings one packet to its receiver, which forwards what it accepts.
func (n *simnet) arrive(p packet) p2p.Verdict {
	n.mu.Lock()
	var topic *simtopic
	if node := n.nodes[p.to]; node != nil {
		topic = node.topics[p.topic]
	}
	n.mu.Unlock()
	if topic == nil {
		return p2p.Ignore
	}
	m := &p2p.Message{From: p.from, Data: p.data}
	verdict := topic.handler.Check(m)
	if verdict == p2p.Accept {
		topic.spread(p.data, p.from)
		topic.handler.Deliver(m)
	}
	return verdict
}

func (n *simnode) Join(topic string, h p2p.Handler) (Topic, error) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	if n.deny != nil {
		return nil, n.deny
	}
	if n.topics[topic] != nil {
		return nil, fault.New(fault.Conflict, "topic %q is joined already", topic)
	}
	t := &simtopic{node: n, name: topic, handler: h}
	n.topics[topic] = t
	return t, nil
}

func (n *simnode) Rendezvous([32]byte) func() {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	n.rendezvous++
	return sync.OnceFunc(func() {
		n.net.mu.Lock()
		defer n.net.mu.Unlock()
		n.rendezvous--
	})
}

// joined counts topics and searches.
func (n *simnode) joined() (topics, searches int) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	return len(n.topics), n.rendezvous
}

func (n *simnode) Peers() []identity.PublicKey {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	return n.neighbours(func(*simnode) bool { return true })
}

func (n *simnode) Address(key identity.PublicKey) string {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	if other := n.net.nodes[key]; other != nil {
		return other.address
	}
	return ""
}

func (n *simnode) Mute(identity.PublicKey, time.Time) {}

func (n *simnode) Handle(protocol string, f func(context.Context, identity.PublicKey, p2p.Stream)) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	n.handlers[protocol] = f
}

func (n *simnode) Open(ctx context.Context, peer identity.PublicKey, protocol string) (p2p.Stream, error) {
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	other := n.net.nodes[peer]
	if other == nil || !n.net.linked[[2]identity.PublicKey{n.key, peer}] || other.handlers[protocol] == nil {
		return nil, fault.New(fault.Unavailable, "peer %s cannot be reached", peer)
	}
	here, there := net.Pipe()
	f := other.handlers[protocol]
	go f(context.Background(), n.key, simstream{there})
	return simstream{here}, nil
}

// simstream is one end of a pipe.
type simstream struct{ net.Conn }

func (s simstream) CloseWrite() error { return nil }
func (s simstream) Reset() error      { return s.Close() }

func (n *simnode) neighbours(fit func(*simnode) bool) []identity.PublicKey {
	var keys []identity.PublicKey
	for key, node := range n.net.nodes {
		if n.net.linked[[2]identity.PublicKey{n.key, key}] && fit(node) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b identity.PublicKey) int { return slices.Compare(a[:], b[:]) })
	return keys
}

func (t *simtopic) Publish(data []byte) error {
	if t.deny != nil {
		return t.deny
	}
	t.spread(data, t.node.key)
	return nil
}

func (t *simtopic) spread(data []byte, but identity.PublicKey) {
	for _, key := range t.Peers() {
		if key != but {
			t.node.net.mu.Lock()
			t.node.net.waiting = append(t.node.net.waiting, packet{from: t.node.key, to: key, topic: t.name, data: data})
			t.node.net.mu.Unlock()
		}
	}
}

func (t *simtopic) Peers() []identity.PublicKey {
	t.node.net.mu.Lock()
	defer t.node.net.mu.Unlock()
	return t.node.neighbours(func(other *simnode) bool { return other.topics[t.name] != nil })
}

func (t *simtopic) Leave() error {
	t.node.net.mu.Lock()
	defer t.node.net.mu.Unlock()
	delete(t.node.topics, t.name)
	return nil
}

// peer is one peer with a plane, as an operation's caller sees it.
type peer struct {
	*Plane
	id    *identity.Identity
	node  *simnode
	hub   *event.Hub
	calls *op.Registry
	store *store.Store
}

// newPeer makes a peer on a store of its own, or on the one it is given.
func newPeer(t testing.TB, net *simnet, name string, cfg Config, on ...*store.Store) *peer {
	t.Helper()
	p := &peer{id: someone(name), hub: event.NewHub(name, event.Limits{})}
	p.node = net.node(p.id.PublicKey())
	if len(on) > 0 {
		p.store = on[0]
	} else {
		p.store = newStore(t)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	plane, err := New(cfg, p.node, p.id, p.hub, p.store.Space("sidechannel"), log)
	if err != nil {
		t.Fatal(err)
	}
	p.Plane = plane
	p.calls = op.NewRegistry(p.hub, log)
	p.calls.Add(plane.Ops()...)
	return p
}

func newStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// start runs the plane until stop is called, which tells how Run ended.
func (p *peer) start(t testing.TB) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for slices.ContainsFunc(p.list(), func(ch *channel) bool { return !p.isAttached(ch) }) {
		time.Sleep(time.Millisecond)
	}
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { stop() })
	return stop
}

// call runs an operation for a client and gives its result.
func (p *peer) call(t testing.TB, client, name, params string) map[string]any {
	t.Helper()
	value, f := p.try(client, name, params)
	if f != nil {
		t.Fatalf("%s %s: %v", name, params, f)
	}
	return value
}

func (p *peer) try(client, name, params string) (map[string]any, *fault.Error) {
	reply, err := p.calls.Call(context.Background(), op.Request{Name: name, Params: json.RawMessage(params), Grant: op.Write, Client: client})
	if err != nil {
		return nil, fault.Of(err)
	}
	var value map[string]any
	if err := json.Unmarshal(reply.Value, &value); err != nil {
		return nil, fault.Of(err)
	}
	return value, nil
}

// events gives what the hub holds, as text.
func (p *peer) events(t testing.TB, kind string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	batch, err := p.hub.Read(ctx, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range batch.Events {
		if e.Kind == kind {
			found = append(found, string(e.Data))
		}
	}
	return found
}
