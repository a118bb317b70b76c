package msb

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"intercom/core/bft"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
	"intercom/planes/msb/outbox"
)

// chainName names the chain within its store.
const chainName = "msb"

// network is a settlement network as it is open in this process: its own node
// for the home's development network, a light client for any other.
type network struct {
	plane    *Plane
	log      *slog.Logger
	settings bus.Genesis
	hash     bft.Hash // of the genesis
	store    *store.Store
	node     *bft.Node     // nil for a light client
	follower *bft.Follower // nil for a node
	servers  *servers      // of a light client
	ledger   chain.Ledger
	outbox   *outbox.Outbox
	faucet   *faucet       // nil unless it is this home's own
	up       chan struct{} // closed when the node is healthy for the first time
	rise     sync.Once
}

// open opens the chosen network, which is fetched or made if need be.
func (p *Plane) open(ctx context.Context) (*network, error) {
	choice, err := p.decide(ctx)
	if err != nil {
		return nil, err
	}
	n := &network{plane: p, servers: newServers(p.cfg.Network), up: make(chan struct{})}
	genesis, err := p.genesis(ctx, n.servers)
	if err != nil {
		return nil, err
	}
	if err := choice.keep(); err != nil {
		return nil, err
	}
	if n.settings, err = chain.Settings(genesis); err != nil {
		return nil, err
	}
	n.hash, n.log = genesis.Hash(), p.log.With("network", n.settings.Network)
	if n.store, err = store.Open(filepath.Join(choice.home(), "data"), store.WithLog(p.log)); err != nil {
		return nil, err
	}
	if err := n.build(choice, genesis); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// build makes the parts of a network whose store is open.
func (n *network) build(choice Choice, genesis bft.Genesis) (err error) {
	if choice.named {
		err = n.follow(genesis)
	} else {
		err = n.validate(choice.home(), genesis)
	}
	if err != nil {
		return err
	}
	n.outbox, err = outbox.Open(outbox.Config{
		Space: n.store.Space("outbox"), Network: n.settings.Network, Port: n.ledger, Own: n.node != nil,
		Log: n.log, OnChange: n.changed,
	})
	if err == nil && n.node != nil {
		n.faucet, err = openFaucet(n)
	}
	return err
}

// validate makes the node of the home's own network.
func (n *network) validate(dir string, genesis bft.Genesis) error {
	app, err := chain.Open(n.store, chainName, n.log)
	if err != nil {
		return err
	}
	n.node, err = bft.New(bft.Config{
		Dir: dir, Store: n.store, Name: chainName, Genesis: genesis, App: app, Log: n.log,
		MaxTx: bus.MaxTx, Recheck: true, OnHealth: n.health,
	})
	if err != nil {
		return err
	}
	n.ledger, err = chain.Local(n.node, app)
	return err
}

// follow makes the light client of a network that others run.
func (n *network) follow(genesis bft.Genesis) (err error) {
	if n.settings.Development {
		n.servers.always = founders(n.settings)
	}
	n.follower, err = bft.NewFollower(bft.FollowerConfig{
		Genesis: genesis, Space: n.store.Space("follower"), Servers: n.servers.list, Notice: n.notice, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.ledger, err = chain.Remote(n.follower, genesis)
	return err
}

// run runs the network; ready is called once it can be asked.
func (n *network) run(ctx context.Context, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	if n.node != nil {
		group.Go(func() error { return n.node.Run(ctx) })
	}
	group.Go(func() error { return n.outbox.Run(ctx) })
	group.Go(func() error {
		if err := n.started(ctx); err != nil {
			return err
		}
		ready()
		return nil
	})
	return group.Wait()
}

// started waits until the network can be asked. A node has replayed its chain and
// made its first block, without which nothing can be read, and others may ask it
// from then on.
func (n *network) started(ctx context.Context) error {
	if n.node == nil {
		n.reach(ctx)
		return ctx.Err()
	}
	select {
	case <-n.up:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := n.node.Await(ctx, 1); err != nil {
		return err
	}
	ServeChain(n.plane.cfg.Network, n.node, n.log)
	n.faucet.serve(n.plane.cfg.Network)
	return nil
}

// How often a light client looks for its first server.
const (
	reachFirst = 10 * time.Millisecond
	reachMost  = 200 * time.Millisecond
)

// reach waits until a server has proven something, so that what is called just
// after the start of the peer, before it has met anybody, does not fail for that;
// but not longer than the plane's patience.
func (n *network) reach(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.plane.cfg.patience())
	defer cancel()
	for wait := reachFirst; ; wait = min(2*wait, reachMost) {
		if _, err := n.follower.Sync(ctx); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// close lets go of the files, after run.
func (n *network) close() error { return n.store.Close() }
