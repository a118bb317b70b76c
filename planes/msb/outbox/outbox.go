package outbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

// Life is for how many heights a transaction should be valid: half of what the
// network allows, so that neither a lagging node finds it too far ahead nor a
// minute without connection on a busy network ends it.
const Life = bus.MaxLife / 2

// MaxKey is the most bytes an idempotency key has.
const MaxKey = 128

// Port is the network as the outbox needs it. Its calls end with their context,
// and many may run at a time.
type Port interface {
	// Submit offers a transaction: the result is the answer of whoever took it
	// or else of one that refused it, an error that nothing is known.
	Submit(ctx context.Context, tx []byte) (bus.Result, error)

	// Record tells what became of a transaction, or that it was not settled up
	// to a height: both proven.
	Record(ctx context.Context, id bus.ID) (r bus.Record, settled bool, at int64, err error)

	// Wait waits for what Record tells once the transaction is settled.
	Wait(ctx context.Context, id bus.ID) (bus.Record, error)
}

// Config is what an outbox is made of. Space, Network, Port and Log are needed.
type Config struct {
	// Space is the outbox's own, for one network.
	Space   *store.Space
	Network string
	Port    Port

	// Own says that the port is the network's only node, in this process: what
	// it refuses and does not hold, nobody has.
	Own bool

	// OnChange is told of every new state, of each transaction in order, a moment
	// after those who wait for it. It is called from several goroutines; it must
	// not block, and may call all but Put.
	OnChange func(Entry)

	// Pending bounds the transactions that have not ended; more are refused. 0
	// is 10 000, a few megabytes of memory.
	Pending int

	// Keep is how many that ended are kept, with their keys. Too few, and a
	// call that is repeated late makes a second transaction. 0 is 10 000, some
	// ten megabytes of disk.
	Keep int

	Log *slog.Logger
}

// Outbox keeps transactions until they end. Its methods may be called from any
// goroutine, also while it does not run: what is put then is sent when it does.
type Outbox struct {
	cfg   Config
	shelf shelf
	wake  chan struct{} // holds one: there may be something to start

	questions chan struct{} // one for each that is being asked

	mu     sync.Mutex
	open   map[bus.ID]*flight // all that have not ended
	queue  queue              // those of them that rest
	turns  int                // of those that do not rest
	places int                // taken by open ones and by those being made
	making map[string]chan struct{}
	number uint64 // of the next one made
	ended  uint64 // number of the next one that ends
	kept   int    // how many that ended are stored

	ending sync.Mutex // one end at a time is stored
}

// flight is a task with those who wait for it. The one turn that runs at a time
// changes it, under the outbox's lock.
type flight struct {
	task
	number  uint64
	changed chan struct{} // closed at the next change of state
}

// Open reads what the space holds and starts nothing. A space that holds
// transactions of another network is a [fault.Conflict].
func Open(cfg Config) (*Outbox, error) {
	if cfg.Space == nil || cfg.Port == nil || cfg.Log == nil || cfg.Network == "" {
		panic("outbox: it needs a space, a network, a port and a log")
	}
	if cfg.Pending <= 0 {
		cfg.Pending = 10_000
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 10_000
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(Entry) {}
	}
	o := &Outbox{
		cfg: cfg, shelf: shelf{cfg.Space}, wake: make(chan struct{}, 1), questions: make(chan struct{}, maxQuestions),
		open: make(map[bus.ID]*flight), making: make(map[string]chan struct{}),
	}
	if err := o.shelf.claim(cfg.Network); err != nil {
		return nil, err
	}
	return o, o.load()
}

func (o *Outbox) load() error {
	var failed error
	err := o.shelf.list('o', func(number uint64, id bus.ID) bool {
		e, ok, err := o.shelf.get(id)
		if failed = err; err != nil {
			return false
		}
		o.number = number + 1
		if ok {
			o.queue.add(o.track(number, e, true))
			o.places++
		}
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return o.loadEnded()
}

// loadEnded counts what has ended.
func (o *Outbox) loadEnded() error {
	return o.shelf.list('f', func(number uint64, _ bus.ID) bool {
		o.ended = number + 1
		o.kept++
		return true
	})
}

// track keeps an entry in memory.
func (o *Outbox) track(number uint64, e Entry, kept bool) *flight {
	f := &flight{task: task{Entry: e, own: o.cfg.Own, kept: kept}, number: number, changed: make(chan struct{})}
	o.open[e.ID] = f
	return f
}

// Get gives a transaction; [fault.NotFound] when it was never put here, or was
// forgotten.
func (o *Outbox) Get(id bus.ID) (Entry, error) {
	o.mu.Lock()
	f := o.open[id]
	if f != nil {
		defer o.mu.Unlock()
		return f.Entry, nil
	}
	o.mu.Unlock()
	e, ok, err := o.shelf.get(id)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "transaction %s was not sent from here", id).
			WithHint("the network can tell what became of it; an outbox forgets what ended long ago")
	}
	return e, err
}

// Pending lists what has not ended, oldest first.
func (o *Outbox) Pending() []Entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	flights := make([]*flight, 0, len(o.open))
	for _, f := range o.open {
		if !f.Ended() {
			flights = append(flights, f)
		}
	}
	slices.SortFunc(flights, func(a, b *flight) int { return cmp.Compare(a.number, b.number) })
	entries := make([]Entry, len(flights))
	for i, f := range flights {
		entries[i] = f.Entry
	}
	return entries
}

// Wait waits until a transaction has reached a state or has ended. When ctx ends
// first the error is ctx's, and the entry says how far it came.
func (o *Outbox) Wait(ctx context.Context, id bus.ID, until State) (Entry, error) {
	for {
		o.mu.Lock()
		f := o.open[id]
		if f == nil {
			o.mu.Unlock()
			return o.Get(id)
		}
		e, changed := f.Entry, f.changed
		o.mu.Unlock()
		if e.State.rank() >= until.rank() {
			return e, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e, fmt.Errorf("waiting for transaction %s: %w", id, ctx.Err())
		}
	}
}

// Wake lets everything that rests try again now: a node came back.
func (o *Outbox) Wake() {
	o.mu.Lock()
	for _, f := range o.queue {
		f.offers, f.due = 0, time.Time{}
	}
	o.mu.Unlock()
	o.signal()
}

func (o *Outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
