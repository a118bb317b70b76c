package validator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"intercom/cmd/internal/attach"
	"intercom/cmd/internal/config"
	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/p2p"
	"intercom/core/store"
	"intercom/planes/msb"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// chainName is the node's name in its store.
const chainName = "main"

// Options are what a start is told besides the configuration of a peer.
type Options struct {
	Listen    string     // where other nodes connect, host:port; "" = a free port of 127.0.0.1
	Peers     []bft.Peer // the nodes to stay connected with
	Strangers bool       // others may connect too
	Follow    bool       // as a full node, whose key has no seat in the genesis
	Keep      int64      // blocks kept; 0 = all
}

// Node is a validator, or a full node, of this process.
type Node struct {
	cfg     config.Config
	log     *slog.Logger
	genesis bft.Genesis
	lock    *attach.Lock
	store   *store.Store
	host    *p2p.Host
	node    *bft.Node
	ledger  chain.Ledger
}

// ParsePeers reads nodes written as id@host:port.
func ParsePeers(list []string) (peers []bft.Peer, err error) {
	for _, text := range list {
		id, addr, ok := strings.Cut(text, "@")
		if !ok {
			return nil, fault.New(fault.Invalid, "--peers: %q is no id@host:port", text).
				WithHint("`intercom validator show` prints the id of a node")
		}
		peers = append(peers, bft.Peer{ID: id, Addr: addr})
	}
	return peers, nil
}

// Open takes the store, and opens and listens; the network lives from Run on.
func Open(ctx context.Context, cfg config.Config, o Options, passphrase []byte, log *slog.Logger) (*Node, error) {
	if !o.Follow && !initialised(cfg) {
		return nil, fault.New(fault.NotFound, "there is no validator key in %s", dir(cfg)).
			WithHint("make one with `intercom validator init`, or follow without voting: --follow")
	}
	n := &Node{cfg: cfg, log: log}
	err := n.take()
	if err == nil {
		err = n.listen(passphrase)
	}
	if err == nil {
		err = n.settle(ctx)
	}
	if err == nil {
		err = n.assemble(o)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) take() error {
	lock, taken, err := attach.TryLock(n.cfg.Store())
	if err != nil {
		return err
	}
	if !taken {
		return fault.New(fault.Conflict, "the store %s is in use", n.cfg.Store()).
			WithHint("stop the validator or peer that runs on it, or name another store with --peer-store-name")
	}
	n.lock = lock
	data := filepath.Join(dir(n.cfg), "data")
	if err := os.MkdirAll(dir(n.cfg), 0o700); err != nil {
		return fault.New(fault.Unavailable, "%v", err).WithHint("choose a home that this user may write to")
	}
	_ = os.Remove(statusFile(n.cfg)) // of a process that is no more
	n.store, err = store.Open(data, store.WithLog(n.log))
	return err
}

func (n *Node) listen(passphrase []byte) error {
	id, _, err := identity.OpenOrCreate(n.cfg.Store(), passphrase)
	if err != nil {
		return err
	}
	var swarmKey []byte
	if file := n.cfg.SwarmKeyFile; file != "" {
		if swarmKey, err = readFile(file, 1<<12); err != nil {
			return err
		}
	}
	n.host, err = p2p.Listen(p2p.Config{
		Identity: id, Listen: n.cfg.Listen, EntryPort: n.cfg.EntryPort, MDNS: n.cfg.MDNS, PublicDHT: n.cfg.PublicDHT,
		DHTBootstrap: slices.Concat(n.cfg.DHTBootstrap, n.cfg.Settlement.Validators),
		SwarmKey:     swarmKey, Only: n.cfg.P2POnly, Backbone: n.cfg.Backbone, Log: n.log,
	})
	return err
}

func (n *Node) assemble(o Options) error {
	if o.Follow {
		key, err := bft.ValidatorKey(dir(n.cfg))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(n.genesis.Validators, func(v bft.Validator) bool { return v.Key == key }) {
			return fault.New(fault.Conflict, "the key of this store is a validator's of %q and would vote", n.genesis.ChainID).
				WithHint("follow with another store: --peer-store-name <label>")
		}
	}
	app, err := chain.Open(n.store, chainName, n.log)
	if err != nil {
		return err
	}
	n.node, err = bft.New(bft.Config{
		Dir: dir(n.cfg), Store: n.store, Name: chainName, Genesis: n.genesis, App: app, Log: n.log,
		Listen: o.Listen, Peers: o.Peers, Strangers: o.Strangers, Keep: o.Keep, MaxTx: bus.MaxTx, Recheck: true,
		OnHealth: func(h bft.Health) { n.log.Info("the chain's health changed", "state", h.State, "reason", h.Reason) },
	})
	if err != nil {
		return err
	}
	if n.ledger, err = chain.Local(n.node, app); err != nil {
		return err
	}
	msb.ServeChain(n.host, n.node, n.log)
	return nil
}

// Banner says what runs, and where it is reached, to people.
func (n *Node) Banner() string {
	return fmt.Sprintf("node of %s, genesis %s\n  node:      %s\n  validator: %s\n  peers:     %s\n",
		n.genesis.ChainID, n.genesis.Hash(), n.node.ID(), n.node.Key(), strings.Join(n.host.Addrs(), " "))
}

// Run runs the node until ctx ends, which is no error, or consensus fails.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	parts.Go(func() {
		if err := n.host.Run(ctx); err != nil {
			n.log.Error("the network stopped", "err", err)
		}
	})
	if err := n.join(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	parts.Go(func() { n.report(ctx) })
	return n.node.Run(ctx)
}

// Close lets go of everything, after Run.
func (n *Node) Close() error {
	var errs []error
	if n.host != nil {
		errs = append(errs, n.host.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Release())
	}
	return errors.Join(errs...)
}
