package bft

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
	"intercom/core/identity"
)

// running is the engine while it runs.
type running struct {
	node   *node.Node
	sw     *p2p.Switch
	cs     *consensus.State
	state  sm.Store // beside the engine's own, over the same bytes
	gate   *gate
	addr   string        // where other nodes connect
	failed chan struct{} // closed when consensus stopped
	why    string        // written before
	once   sync.Once
}

// errPort is a start that failed at the port, or behind it.
var errPort = errors.New("the engine's port")

// attempts to take a port that was free a moment ago.
const attempts = 5

func (n *Node) start(ctx context.Context) (r *running, err error) {
	if until := time.Until(n.cfg.Genesis.Time); until > 10*time.Second {
		// The engine would sleep until then, deaf to ctx.
		return nil, fault.New(fault.Unavailable, "the chain %q begins at %s", n.cfg.Genesis.ChainID, n.cfg.Genesis.Time).
			WithHint("start the node then, or set the clock")
	}
	if err := os.MkdirAll(filepath.Join(n.cfg.Dir, "wal"), 0o700); err != nil {
		return nil, unwritable(n.cfg.Dir, err)
	}
	for range attempts {
		r, err = n.launch(ctx)
		if n.cfg.port() != "0" || !errors.Is(err, errPort) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the chain %q does not start: %w", n.cfg.Genesis.ChainID, err).
			WithHint("see the log; if its files are damaged, restore them from a copy")
	}
	return r, nil
}

// launch makes and starts an engine. One that does not start leaves its event
// bus behind, which nothing can reach.
func (n *Node) launch(ctx context.Context) (r *running, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("the engine panicked: %v", p)
		}
	}()
	port, err := n.pickPort()
	if err != nil {
		return nil, err
	}
	r = &running{gate: &gate{}, failed: make(chan struct{}), addr: net.JoinHostPort(n.cfg.host(), strconv.Itoa(port))}
	open := func(c *config.DBContext) (dbm.DB, error) {
		return &database{space: n.space(c.ID), gate: r.gate}, nil
	}
	own := n.stores(r.gate)
	if err := n.adopt(own); err != nil {
		return nil, err
	}
	r.state = own.state
	log := words{log: n.log, failed: r.fail}
	r.node, err = node.NewNodeWithContext(ctx, engineConfig(n.cfg, port), n.keys.vote, n.keys.node,
		proxy.NewLocalClientCreator(n.bridge(r)),
		func() (*types.GenesisDoc, error) { return n.cfg.Genesis.doc(), nil },
		open, node.DefaultMetricsProvider(config.DefaultInstrumentationConfig()), log)
	if err != nil {
		return nil, err
	}
	sw, ok := r.node.Switch().(*p2p.Switch)
	if !ok {
		return nil, fmt.Errorf("the engine's transport is %T", r.node.Switch())
	}
	env, err := r.node.ConfigureRPC()
	if err != nil {
		return nil, err
	}
	if r.cs, ok = env.ConsensusState.(*consensus.State); !ok {
		return nil, fmt.Errorf("the engine's consensus is %T", env.ConsensusState)
	}
	r.sw = sw
	height, state, err := n.cfg.App.Last()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.running, n.height, n.state = r, height, state
	n.mu.Unlock()
	if err := r.node.Start(); err != nil {
		n.mu.Lock()
		n.running = nil
		n.mu.Unlock()
		r.stop(n.log)
		return nil, fmt.Errorf("%w: %w", errPort, err)
	}
	return r, nil
}

func (n *Node) pickPort() (int, error) {
	if port := n.cfg.port(); port != "0" {
		return strconv.Atoi(port)
	}
	return freePort(n.cfg.host())
}

func (n *Node) bridge(r *running) *bridge {
	return &bridge{
		app: n.cfg.App, genesis: n.cfg.Genesis, log: n.log, journal: n.journal,
		voters:    &voters{state: r.state, log: n.log, keys: map[[20]byte]identity.PublicKey{}},
		admits:    func(id string) bool { return n.cfg.Strangers || n.peers.knows(id) },
		committed: n.grow,
		retain:    n.retain,
	}
}

func (r *running) fail(why string) {
	r.once.Do(func() {
		r.why = why
		close(r.failed)
	})
}

// stop ends the engine. It goes on reading for a moment: its databases answer
// that nothing is there.
func (r *running) stop(log *slog.Logger) {
	if err := r.node.Stop(); err != nil {
		log.Debug("the engine stopped badly", "err", err)
		_ = r.node.EventBus().Stop() // runs from the beginning
	}
	r.gate.shut.Store(true)
	if err := r.node.ProxyApp().Stop(); err != nil {
		log.Debug("the application's connections stopped badly", "err", err)
	}
}
