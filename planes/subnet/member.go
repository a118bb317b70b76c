package subnet

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/subnet/log"
	"intercom/planes/subnet/machine"
)

// chainName names the log and the chain within their store.
const chainName = "subnet"

// member is a subnet as it is open in this process. The peer that made it, and one
// that may become an indexer, have a node of its chain; any other one follows.
type member struct {
	plane     *Plane
	logger    *slog.Logger
	bootstrap identity.PublicKey
	self      identity.PublicKey
	feedID    feed.FeedID
	store     *store.Store
	feeds     *feed.Feeds
	first     *machine.First
	firstRaw  []byte // the first entry, for newcomers
	genesis   bft.Genesis
	machine   *machine.Machine
	log       *log.Log
	node      *bft.Node // nil for one that follows
	up        chan struct{}
	rise      sync.Once
	near      *neighbours
	awaited   *awaited
	news      chan log.Confirmed // to tell; see [member.tell]
	paying    *paying
	results   *results

	over    context.Context // done when this member's life ends
	end     context.CancelFunc
	gate    sync.Mutex // between entering a stream and the end
	serving sync.WaitGroup
}

// open opens the chosen subnet, which is fetched or made if need be.
func (p *Plane) open(ctx context.Context) (*member, error) {
	choice := p.cfg.Choice
	m := &member{
		plane: p, bootstrap: choice.Bootstrap, self: p.cfg.Signer.PublicKey(), feedID: machine.FeedOf(choice.Bootstrap),
		logger: p.log.With("subnet", choice.Bootstrap.String()[:16]), up: make(chan struct{}),
		near: newNeighbours(), awaited: newAwaited(), news: make(chan log.Confirmed, 1024),
		paying: newPaying(), results: newResults(),
	}
	m.over, m.end = context.WithCancel(context.Background())
	if err := choice.keep(); err != nil {
		return nil, fault.New(fault.Unavailable, "the subnet's directory cannot be made: %v", err).WithHint("make the store writable")
	}
	var err error
	if m.store, err = store.Open(filepath.Join(m.home(), "data"), store.WithLog(p.log)); err != nil {
		return nil, err
	}
	if err := m.build(ctx); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// home is where the member's files are: a node's and a follower's state go their
// own ways, so a peer that changes from one to the other begins with the blocks.
func (m *member) home() string {
	home := m.plane.cfg.Choice.home()
	if m.indexes() && m.bootstrap != m.self {
		return filepath.Join(home, "indexer")
	}
	return home
}

// indexes tells whether this peer has a node of the chain.
func (m *member) indexes() bool { return m.bootstrap == m.self || m.plane.cfg.Indexer }

// build makes the parts of a member whose store is open.
func (m *member) build(ctx context.Context) (err error) {
	if m.feeds, err = feed.Open(m.store.Space("feed"), m.logger); err != nil {
		return err
	}
	first, err := m.begin(ctx)
	if err != nil {
		return err
	}
	if err := m.read(first); err != nil {
		return err
	}
	var port machine.Port
	if s := m.plane.cfg.Settlement; s != nil {
		port = s
	}
	m.machine = machine.New(m.bootstrap, m.plane.cfg.Contract, port)
	m.log, err = log.Open(log.Config{
		Store: m.store, Name: chainName, Feeds: m.feeds, First: first, Machine: rules{m.machine}, Offer: m.offer, Log: m.logger,
	})
	if err != nil {
		return err
	}
	state, err := m.log.State()
	if err != nil {
		return err
	}
	if err := m.machine.Suits(state); err != nil {
		return err
	}
	m.log.OnConfirmed(m.confirmed)
	if !m.indexes() {
		return nil
	}
	m.node, err = bft.New(bft.Config{
		Dir: m.engineDir(), Store: m.store, Name: chainName, Genesis: m.genesis, App: m.log, Log: m.logger,
		MaxTx: feed.MaxEntry, Strangers: true, OnHealth: m.health,
	})
	if err == nil {
		m.log.OnPending(m.node.Wake)
	}
	return err
}

func (m *member) engineDir() string { return filepath.Join(m.home(), "engine") }

// run takes part until ctx ends; ready is called once the subnet can be asked.
func (m *member) run(ctx context.Context, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.log.Run(ctx) })
	if m.node != nil {
		group.Go(func() error { return m.node.Run(ctx) })
	} else {
		group.Go(func() error { return m.follow(ctx) })
	}
	group.Go(func() error { return m.tell(ctx) })
	m.serve()
	group.Go(func() error { return m.meet(ctx) })
	group.Go(func() error {
		if m.started(ctx) != nil {
			return nil // ctx ended
		}
		ready()
		return m.finish(ctx)
	})
	group.Go(func() error { return m.tick(ctx) })
	return group.Wait()
}

// started waits until the node has replayed its chain.
func (m *member) started(ctx context.Context) error {
	if m.node == nil {
		return nil
	}
	select {
	case <-m.up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets go of the files, after run.
func (m *member) close() error {
	m.leave()
	return m.store.Close()
}

type healthEvent struct {
	Subnet string `json:"subnet"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// health is told by the engine.
func (m *member) health(h bft.Health) {
	if h.State == bft.Healthy || h.State == bft.Syncing {
		m.rise.Do(func() { close(m.up) })
	}
	m.plane.cfg.Hub.Publish("subnet_health", healthEvent{Subnet: m.bootstrap.String(), State: string(h.State), Reason: h.Reason})
}
