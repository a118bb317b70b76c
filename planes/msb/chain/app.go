package chain

import (
	"encoding/binary"
	"log/slog"
	"sync"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

const (
	// Kept is how many states are readable besides the newest, counted in blocks
	// that changed something. Too few, and a light client far away asks for one
	// that is gone; too many, and every block takes longer to write.
	Kept = 127
	// waitingMax is how many transactions wait for a block, as many as the engine
	// holds.
	waitingMax = 20_000
)

// App is the bus as the application of a chain: a [bft.Application] that
// proposes, judges and answers light clients. It lives in the node's own store.
// The node's configuration needs Recheck, and MaxTx of [bus.MaxTx].
type App struct {
	space   *store.Space
	state   *store.Space // the tree's
	tree    *merkle.Map
	machine *bus.Machine
	pool    *bus.Pool
	log     *slog.Logger
	waiters waiters
	sent    sent

	// The engine's calls only, which come one at a time.
	sight sight
	trial *bus.Trial // the block proposed or judged last
	next  *executed  // what Execute did and Commit has not made the state

	mu   sync.Mutex
	head head
}

// head is the newest block and the state after it.
type head struct {
	height  int64
	genesis bft.Hash // zero before Init
	view    *merkle.View
	begin   int64 // the first state that is a whole one: after a snapshot, its height
}

// Open gives the application of that name as the store holds it; nothing
// starts. The name is the node's.
func Open(s *store.Store, name string, log *slog.Logger) (*App, error) {
	machine := bus.NewMachine()
	a := &App{
		space:   s.Space("msb/" + name + "/head"),
		state:   s.Space("msb/" + name + "/state"),
		machine: machine,
		pool:    bus.NewPool(machine, waitingMax),
		log:     log,
	}
	a.tree = merkle.Open(a.state, Kept+1)
	view, err := a.tree.Last()
	if err != nil {
		return nil, err
	}
	a.head.view = view
	raw, ok, err := a.space.Get(headKey)
	if err != nil || !ok {
		return a, err
	}
	if len(raw) != headSize || binary.BigEndian.Uint64(raw) < view.Version() {
		return nil, fault.New(fault.Unavailable, "the head of the settlement state is damaged").
			WithHint("restore the store from a copy, or begin with a new one and fetch the state again")
	}
	a.head.height = int64(binary.BigEndian.Uint64(raw))
	a.head.genesis = bft.Hash(raw[8:])
	return a, a.loadBegin()
}

var headKey = []byte("head")

const headSize = 8 + len(bft.Hash{})

func (h head) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(h.height)), h.genesis[:]...)
}

func (a *App) now() head {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head
}

// Last tells the newest block whose effects are here, and the root of the state.
func (a *App) Last() (int64, bft.Hash, error) {
	h := a.now()
	return h.height, stateHash(h.view.Root()), nil
}

// Init makes the first state. A store that began with another genesis is a
// [fault.Conflict].
func (a *App) Init(g bft.Genesis) (bft.Hash, error) {
	settings, err := Settings(g)
	if err != nil {
		return bft.Hash{}, err
	}
	h := a.now()
	switch {
	case h.genesis == g.Hash() && h.height == 0:
		return stateHash(h.view.Root()), nil
	case !h.genesis.IsZero():
		return bft.Hash{}, fault.New(fault.Conflict, "this store has the settlement state of genesis %s at height %d", h.genesis, h.height).
			WithHint("use another store for another network")
	}
	if err := a.clear(); err != nil {
		return bft.Hash{}, err
	}
	u, err := a.tree.Update()
	if err != nil {
		return bft.Hash{}, err
	}
	if _, err := settings.Begin(u); err != nil {
		return bft.Hash{}, err
	}
	h.genesis = g.Hash()
	return a.write(h, u)
}

// write makes the update the state after a block, in one batch with its height.
// It does not wait for the disk: the engine has the block, in the same store,
// and writes after this one that the block is done.
func (a *App) write(h head, u *merkle.Update) (bft.Hash, error) {
	batch := a.space.Batch()
	batch.Set(headKey, h.encode())
	root, err := u.Write(batch, uint64(h.height))
	if err == nil {
		err = batch.Apply()
	}
	if err != nil {
		return bft.Hash{}, err
	}
	// An unchanged state keeps its view: the pool reads one between two changes.
	if root != h.view.Root() {
		if h.view, err = a.tree.Last(); err != nil {
			return bft.Hash{}, err
		}
	}
	a.mu.Lock()
	a.head = h
	a.mu.Unlock()
	return stateHash(root), nil
}

// at is the state after the block of that height. One that is no longer kept, or
// is not there yet, is a [fault.NotFound].
func (a *App) at(height int64) (*merkle.View, error) {
	h := a.now()
	switch {
	case height < h.begin || height > h.height:
		return nil, fault.New(fault.NotFound, "there is no state of height %d, the newest is %d", height, h.height).
			WithHint("ask for one up to the newest")
	case uint64(height) >= h.view.Version(): // nothing changed since
		return h.view, nil
	}
	return a.tree.At(uint64(height))
}
