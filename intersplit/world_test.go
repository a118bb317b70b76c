package intersplit

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/store"
)

// world is channels and streams in memory, with peers that come and go.
type world struct {
	t testing.TB

	refresh   time.Duration
	roomBytes uint64
	snapshot  string // path of the file
	contract  *contractState

	mu    sync.Mutex
	peers map[identity.PublicKey]*peer
	rng   *rand.Rand
	lossy bool // messages are lost, doubled and reordered
	late  []func()
}

func newWorld(t testing.TB) *world {
	return &world{t: t, contract: newContractState(), refresh: 100 * time.Millisecond, peers: map[identity.PublicKey]*peer{}, rng: rand.New(rand.NewPCG(1, 2))}
}

// peer is one peer's ledgers on a store of its own; it is its Channels and its
// Streams as well.
type peer struct {
	*Rooms
	world *world
	id    *identity.Identity
	store *store.Store
	hub   *event.Hub
	ops   *op.Registry

	cancel context.CancelFunc
	ended  chan error

	mu      sync.Mutex
	online  bool
	joined  map[string]bool
	listen  func(Message)
	answer  func(ctx context.Context, remote identity.PublicKey, s Stream)
	refused map[identity.PublicKey]bool
	policy  Policy
}

// join starts a peer with an identity made from one byte.
func (w *world) join(seed byte) *peer { return w.joinWith(seed, memory(w.t)) }

func memory(tb testing.TB) *store.Store {
	tb.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) joinWith(seed byte, s *store.Store) *peer {
	p := &peer{
		world: w, id: identity.FromSeed([32]byte{seed}), store: s, hub: event.NewHub("t", event.Limits{}),
		online: true, joined: map[string]bool{}, refused: map[identity.PublicKey]bool{}, ended: make(chan error, 1),
	}
	feeds, err := feed.Open(s.Space("feed"), slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	p.Rooms = New(Deps{
		Feeds: feeds, Space: s.Space("intersplit"), Signer: p.id, Channels: p, Streams: p, Hub: p.hub, Contract: w.contract,
	}, Config{Refresh: w.refresh, RoomBytes: w.roomBytes, SnapshotFile: w.snapshot})
	// Who is in a world is there at once, and may be slow.
	p.arrivals.alone, p.arrivals.together = 20*time.Millisecond, time.Minute
	p.ops = op.NewRegistry(p.hub, slog.New(slog.DiscardHandler))
	p.ops.Add(p.Rooms.Ops()...)
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())
	go func() { p.ended <- p.Rooms.Run(ctx) }()
	w.mu.Lock()
	w.peers[p.id.PublicKey()] = p
	w.mu.Unlock()
	w.t.Cleanup(p.leave)
	return p
}

// leave stops the peer; its store stays.
func (p *peer) leave() {
	p.world.mu.Lock()
	delete(p.world.peers, p.id.PublicKey())
	p.world.mu.Unlock()
	p.cancel()
	if err, first := <-p.ended; first {
		close(p.ended)
		if err != nil {
			p.world.t.Error(err)
		}
	}
}

func (w *world) others(self *peer, channel string) []*peer {
	w.mu.Lock()
	defer w.mu.Unlock()
	var others []*peer
	for _, p := range w.peers {
		p.mu.Lock()
		if p != self && p.online && p.joined[channel] {
			others = append(others, p)
		}
		p.mu.Unlock()
	}
	return others
}

// setOnline takes a peer off the network, or back.
func (p *peer) setOnline(online bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.online = online
}

func (p *peer) isOnline() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.online
}

// The peer as Channels.

func (p *peer) Name(text string) (string, error) {
	if name := strings.TrimSpace(text); name != "" {
		return name, nil
	}
	return "", fault.New(fault.Invalid, "the channel name is empty").WithHint("name a channel")
}

func (p *peer) Join(_ context.Context, channel string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	joined := !p.joined[channel]
	p.joined[channel] = true
	return joined, nil
}

func (p *peer) Joined() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var joined []string
	for channel := range p.joined {
		joined = append(joined, channel)
	}
	return joined
}

func (p *peer) Members(channel string) []identity.PublicKey {
	if !p.isOnline() {
		return nil
	}
	var members []identity.PublicKey
	for _, other := range p.world.others(p, channel) {
		members = append(members, other.id.PublicKey())
	}
	return members
}

func (p *peer) May(channel string, who identity.PublicKey, _ Access) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.joined[channel] && !p.refused[who]
}

func (p *peer) Policy(string) Policy {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy
}

// setPolicy has others count from now on.
func (p *peer) setPolicy(policy Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policy = policy
}

// Invite reads the invites of [invite].
func (p *peer) Invite(_ string, raw []byte) (in Invite, err error) {
	err = json.Unmarshal(raw, &in)
	return in, err
}

func (p *peer) Listen(_ string, f func(Message)) { p.listen = f }

func (p *peer) Send(_ context.Context, channel string, message json.RawMessage) (string, int, error) {
	if !p.isOnline() {
		return "", 0, nil
	}
	others := p.world.others(p, channel)
	for _, other := range others {
		p.world.deliver(func() { other.listen(Message{Channel: channel, From: p.id.PublicKey(), Message: message}) })
	}
	return "id", len(others), nil
}

// deliver runs a delivery now; in a lossy world maybe never, twice, or behind a
// later one.
func (w *world) deliver(f func()) {
	w.mu.Lock()
	fate, ready := 9, []func(){f}
	if w.lossy {
		fate = w.rng.IntN(10)
	}
	switch {
	case fate < 2:
		ready = nil
	case fate < 5:
		ready = w.late
		w.late = []func(){f}
	case fate < 6:
		ready = append(ready, f)
	}
	w.mu.Unlock()
	for _, f := range ready {
		f()
	}
}

// The peer as Streams, over loopback.

func (p *peer) Handle(_ string, f func(context.Context, identity.PublicKey, Stream)) { p.answer = f }

func (p *peer) Open(ctx context.Context, to identity.PublicKey, _ string) (Stream, error) {
	p.world.mu.Lock()
	other := p.world.peers[to]
	p.world.mu.Unlock()
	if other == nil || !other.isOnline() || !p.isOnline() {
		return nil, fault.New(fault.Unavailable, "%s is not connected", to)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	far, err := listener.Accept()
	if err != nil {
		return nil, err
	}
	go other.answer(context.WithoutCancel(ctx), p.id.PublicKey(), tcpStream{far.(*net.TCPConn)})
	return tcpStream{near.(*net.TCPConn)}, nil
}

type tcpStream struct{ *net.TCPConn }

func (s tcpStream) Reset() error {
	_ = s.SetLinger(0)
	return s.Close()
}

// call runs an operation as a surface does.
func (p *peer) call(name, params string) (op.Reply, error) {
	return p.ops.Call(context.Background(), op.Request{Name: name, Params: json.RawMessage(params), Grant: op.Write, Text: true})
}

func (p *peer) must(name, params string) op.Reply {
	p.world.t.Helper()
	reply, err := p.call(name, params)
	if err != nil {
		p.world.t.Fatalf("%s %s: %v (%s)", name, params, err, fault.Of(err).Hint)
	}
	return reply
}

// export is everything that a peer says of a room, but for the time.
func (p *peer) export(channel string) string {
	p.world.t.Helper()
	var out ExportResult
	decodeResult(p.world.t, p.must("expense_export", `{"channel":"`+channel+`","format":"json"}`), &out)
	_, rest, _ := strings.Cut(out.Data, `"channel"`)
	return rest
}

func decodeResult(t testing.TB, reply op.Reply, out any) {
	t.Helper()
	if err := json.Unmarshal(reply.Value, out); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute: " + what)
		}
	}
}
