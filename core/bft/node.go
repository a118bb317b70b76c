package bft

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// Node runs one chain in this process: as a validator when the set holds its
// key, else as a full node. [New] makes it, Run runs it, once; every other
// method may be called from any goroutine at any time and answers
// [fault.Unavailable] while it does not run.
type Node struct {
	cfg     Config
	log     *slog.Logger
	keys    *keys
	journal journal
	waiters waiters
	peers   *peers
	health  health
	wake    chan struct{} // holds one

	mu      sync.Mutex
	running *running      // nil before and after Run
	started bool          // Run was called
	height  int64         // the newest block that is committed here
	state   Hash          // after it
	grown   chan struct{} // closed, and made anew, when height grows or the node ends
	calls   sync.WaitGroup
}

// New makes a node and its keys; it starts nothing. A store that holds another
// chain under that name, and keys that are damaged, are a [fault.Conflict].
func New(cfg Config) (*Node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	k, err := openKeys(cfg.Dir)
	if err != nil {
		return nil, err
	}
	n := &Node{
		cfg:     cfg,
		log:     cfg.Log.With("chain", cfg.Genesis.ChainID),
		keys:    k,
		journal: journal{cfg.Store.Space(spaceName(cfg.Name, "journal"))},
		waiters: waiters{of: map[Hash][]chan Outcome{}},
		wake:    make(chan struct{}, 1),
		grown:   make(chan struct{}),
	}
	n.health.tell = cfg.OnHealth
	n.peers = newPeers(string(k.node.ID()), n.log)
	n.peers.set(cfg.Peers)
	return n, n.journal.bind(cfg.Genesis.Hash())
}

func spaceName(chain, part string) string { return "bft/" + chain + "/" + part }

func (n *Node) space(part string) *store.Space { return n.cfg.Store.Space(spaceName(n.cfg.Name, part)) }

// Key is the node's validator key.
func (n *Node) Key() identity.PublicKey { return n.keys.public }

// ID is the node's name among nodes, as in [Peer].
func (n *Node) ID() string { return string(n.keys.node.ID()) }

// Genesis is where the chain begins.
func (n *Node) Genesis() Genesis { return n.cfg.Genesis }

// SetPeers replaces the nodes to stay connected with. Connections to others
// stay until they end by themselves.
func (n *Node) SetPeers(list []Peer) error {
	for _, p := range list {
		if err := p.check(); err != nil {
			return err
		}
	}
	n.peers.set(list)
	return nil
}

// Run runs the node until ctx is done, which is no error, or until consensus
// fails, which is one: another node on the same files may be run then. When it
// returns the application is no longer called.
func (n *Node) Run(ctx context.Context) error {
	n.mu.Lock()
	again := n.started
	n.started = true
	n.mu.Unlock()
	if again {
		return fault.New(fault.Conflict, "the node has run already").WithHint("make a new one")
	}
	n.health.set(Starting, "")
	r, err := n.start(ctx)
	if err != nil {
		n.end(nil)
		if ctx.Err() != nil {
			n.health.set(Off, "")
			return nil
		}
		n.health.set(Failed, err.Error())
		return err
	}
	stop, cancel := context.WithCancel(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { n.watch(stop, r) })
	loops.Go(func() { n.peers.run(stop, r.sw) })
	loops.Go(func() { n.keepAwake(stop, r) })
	n.Wake() // the engine's pool does not outlive it

	select {
	case <-ctx.Done():
	case <-r.failed:
		n.health.set(Failed, "consensus stopped: "+r.why)
		err = fault.New(fault.Unavailable, "consensus stopped: %s", r.why).
			WithHint("see the log; start the node again, and if it stops again its state or program differs from the others'")
	}
	cancel()
	loops.Wait()
	n.end(r)
	if err == nil {
		n.health.set(Off, "")
	}
	return err
}

// enter admits a call to the engine, so that the end waits for it.
func (n *Node) enter() (*running, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil {
		return nil, errNotRunning
	}
	n.calls.Add(1)
	return n.running, nil
}

var errNotRunning = fault.New(fault.Unavailable, "the chain does not run here now").
	WithHint("call again when it has started")

// end stops the engine and lets go of all who wait.
func (n *Node) end(r *running) {
	n.mu.Lock()
	n.running = nil
	close(n.grown)
	n.grown = nil
	n.mu.Unlock()
	n.waiters.close()
	n.calls.Wait()
	if r != nil {
		r.stop(n.log)
	}
	n.peers.carried.Wait()
}

// grow notes a committed block and tells who waits for it.
func (n *Node) grow(height int64, state Hash, txs [][]byte, results []Result) {
	n.mu.Lock()
	n.height, n.state = height, state
	if n.grown != nil {
		close(n.grown)
		n.grown = make(chan struct{})
	}
	n.mu.Unlock()
	n.waiters.tell(height, txs, results)
}

// Await waits until the block of that height is committed here. Reading the
// chain as a stream is a loop of Await and Block: a slow reader loses nothing,
// for it is only a height.
func (n *Node) Await(ctx context.Context, height int64) error {
	for {
		n.mu.Lock()
		now, grown := n.height, n.grown
		n.mu.Unlock()
		switch {
		case now >= height:
			return nil
		case grown == nil:
			return errNotRunning
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return fmt.Errorf("waiting for block %d: %w", height, ctx.Err())
		}
	}
}
