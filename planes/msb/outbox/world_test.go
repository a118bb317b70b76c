package outbox_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

const network = "intercom-dev-0123456789abcdef"

var (
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
	payer = seeded(1)
	payee = seeded(2).PublicKey()
)

func seeded(b byte) *identity.Identity { return identity.FromSeed([32]byte{b}) }

// world is a settlement network of one's own design: it settles what lies in its
// pool at every block, and a test may take its place in any answer.
type world struct {
	mu      sync.Mutex
	height  int64
	pool    []bus.ID
	logged  []bus.ID // in a block that a kill left undecided
	records map[bus.ID]bus.Record
	waiting map[bus.ID][]chan struct{}
	offers  map[bus.ID]int

	idle bool // no block is made

	// offered answers an offer in the network's place, when ok.
	offered func(s *bus.Signed) (r bus.Result, err error, ok bool)
}

func newWorld() *world {
	return &world{records: map[bus.ID]bus.Record{}, waiting: map[bus.ID][]chan struct{}{}, offers: map[bus.ID]int{}}
}

func (w *world) Submit(ctx context.Context, tx []byte) (bus.Result, error) {
	s, refused := bus.Decode(tx)
	if refused.Code != bus.OK {
		return refused, nil
	}
	w.mu.Lock()
	w.offers[s.ID]++
	own := w.offered
	w.mu.Unlock()
	if own != nil {
		if r, err, ok := own(s); ok {
			return r, err
		}
	}
	return w.take(s.ID), nil
}

func (w *world) take(id bus.ID) bus.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch _, done := w.records[id]; {
	case done:
		return bus.Result{Code: bus.TxAlreadyExists}
	case slices.Contains(w.pool, id):
		return bus.Result{Code: bus.TxAlreadyPending}
	}
	w.pool = append(w.pool, id)
	if !w.idle {
		time.AfterFunc(5*time.Millisecond, func() { w.block(bus.OK) })
	}
	return bus.Result{}
}

// block settles what waits.
func (w *world) block(code bus.Code) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.height++
	for _, id := range append(w.pool, w.logged...) {
		w.records[id] = bus.Record{Height: uint64(w.height), Code: code}
		for _, c := range w.waiting[id] {
			close(c)
		}
		delete(w.waiting, id)
	}
	w.pool, w.logged = nil, nil
}

// kill is what becomes of a node's pool: it is gone, but for what stands in a
// block in its log, or in another node's pool.
func (w *world) kill(logged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if logged {
		w.logged = append(w.logged, w.pool...)
	}
	w.pool = nil
}

// holds tells whether a node asked now would know the transaction.
func (w *world) holds(id bus.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, settled := w.records[id]
	return settled || slices.Contains(w.pool, id)
}

func (w *world) Record(_ context.Context, id bus.ID) (bus.Record, bool, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.records[id]
	return r, ok, w.height, nil
}

func (w *world) Wait(ctx context.Context, id bus.ID) (bus.Record, error) {
	w.mu.Lock()
	if r, ok := w.records[id]; ok {
		w.mu.Unlock()
		return r, nil
	}
	c := make(chan struct{})
	w.waiting[id] = append(w.waiting[id], c)
	w.mu.Unlock()
	select {
	case <-c:
		r, _, _, err := w.Record(ctx, id)
		return r, err
	case <-ctx.Done():
		return bus.Record{}, fault.Of(ctx.Err())
	}
}

func (w *world) asked(id bus.ID) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offers[id]
}

func (w *world) settled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.records)
}

// teller remembers what it was told.
type teller struct {
	mu     sync.Mutex
	states map[bus.ID][]outbox.State
}

func (l *teller) told(e outbox.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[bus.ID][]outbox.State{}
	}
	l.states[e.ID] = append(l.states[e.ID], e.State)
}

func (l *teller) of(id bus.ID) []outbox.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.states[id])
}

// box is an outbox that runs on a disk whose power can be cut.
type box struct {
	*outbox.Outbox
	t     testing.TB
	disk  *store.Disk
	store *store.Store
	stop  context.CancelFunc
	ended chan error
}

func open(t testing.TB, disk *store.Disk, w outbox.Port, edit ...func(*outbox.Config)) *box {
	t.Helper()
	s, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	cfg := outbox.Config{Space: s.Space("outbox"), Network: network, Port: w, Log: quiet}
	for _, change := range edit {
		change(&cfg)
	}
	o, err := outbox.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &box{Outbox: o, t: t, disk: disk, store: s}
}

func (b *box) run() *box {
	ctx, stop := context.WithCancel(b.t.Context())
	b.stop, b.ended = stop, make(chan error, 1)
	go func() { b.ended <- b.Run(ctx) }()
	return b
}

// close ends it in good order.
func (b *box) close() {
	b.t.Helper()
	if b.stop != nil {
		b.stop()
		if err := <-b.ended; err != nil {
			b.t.Error(err)
		}
	}
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

// crash cuts the power and gives the disk that is left.
func (b *box) crash(seed uint64) *store.Disk {
	after := b.disk.Crash(seed)
	b.close()
	return after
}

func transfer(amount uint64, expiry uint64) func() (*bus.Signed, error) {
	return func() (*bus.Signed, error) {
		tx := bus.Tx{Network: network, Nonce: bus.NewNonce(), Expiry: expiry, Body: bus.Transfer{To: payee, Amount: bus.Atomic(amount)}}
		return tx.Sign(payer), nil
	}
}

func (b *box) put(key string) outbox.Entry {
	b.t.Helper()
	e, err := b.Put(b.t.Context(), key, []byte(key), transfer(1, outbox.Life))
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// becomes waits until a transaction has ended and tells how.
func (b *box) becomes(id bus.ID, want outbox.State) outbox.Entry {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Hour)
	defer cancel()
	e, err := b.Wait(ctx, id, outbox.Confirmed)
	if err != nil || e.State != want {
		b.t.Fatalf("it is %s (%s): %v, want %s", e.State, e.Code, err, want)
	}
	return e
}

func own(c *outbox.Config) { c.Own = true }
