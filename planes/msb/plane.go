package msb

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"intercom/core/bft"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/ondemand"
	"intercom/planes/msb/bus"
)

// Config is how a plane differs from the default, and what it stands on. Choice,
// Signer, Network, Hub and Log are needed unless Off is set.
type Config struct {
	// Off makes every operation answer unavailable.
	Off bool
	// Choice is the network to settle on.
	Choice Choice
	// Given gives the genesis of the network that something else of this peer has
	// settled on, nil for none; it is asked when the first use finds that no network
	// was named. Nil: nobody is asked.
	Given func(ctx context.Context) (genesis []byte, err error)
	// Signer is the wallet: whose balance is meant, and who signs.
	Signer  bus.Signer
	Network Network
	Hub     *event.Hub
	Log     *slog.Logger

	// Patience is how long a light client that was just started looks for a server
	// before its calls are answered without one; 0 is 5 s. Too short, and a call
	// fails that comes before the peer has met anybody.
	Patience time.Duration
}

func (c Config) patience() time.Duration {
	if c.Patience > 0 {
		return c.Patience
	}
	return 5 * time.Second
}

// Plane settles values for one peer. Its methods may be called from any
// goroutine at any time; while [Plane.Run] does not run they answer
// [fault.Unavailable].
type Plane struct {
	cfg  Config
	log  *slog.Logger
	part *ondemand.Part[*network]

	mu sync.Mutex // for cfg.Choice
}

// New makes a plane. It starts nothing, opens nothing and writes nothing.
func New(cfg Config) *Plane {
	return &Plane{cfg: cfg, log: cfg.Log, part: ondemand.New[*network](errStopped)}
}

// Run runs the network from its first use on, or at once when there is one
// already, until ctx ends. It runs once. A network that fails is no error of
// the peer: its operations say so, and the next one starts it again.
func (p *Plane) Run(ctx context.Context) error {
	if p.cfg.Off {
		<-ctx.Done()
		return nil
	}
	p.cfg.Network.OnPeer(p.met)
	if choice := p.choice(); choice.begun() {
		p.part.Want()
	}
	p.part.Run(ctx, p.live)
	return nil
}

// live has a network and runs it until ctx ends or it fails.
func (p *Plane) live(ctx context.Context, ready func(*network)) error {
	n, err := p.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Error("the settlement network cannot be opened", "err", err)
		}
		return err
	}
	err = n.run(ctx, func() { ready(n) })
	if closing := n.close(); closing != nil {
		err = errors.Join(err, closing)
	}
	if err != nil && ctx.Err() == nil {
		p.log.Error("the settlement network has stopped", "network", n.settings.Network, "err", err)
		p.cfg.Hub.Publish("msb_health", healthEvent{Network: n.settings.Network, State: "failed", Reason: fault.Of(err).Message})
	}
	return err
}

// patience is how long a call waits for its network to start: only one whose
// genesis has to be fetched takes longer than a moment.
const patience = 20 * time.Second

// use gives the network, which it starts if need be.
func (p *Plane) use(ctx context.Context) (*network, error) {
	if p.cfg.Off {
		return nil, fault.New(fault.Unavailable, "settlement is turned off").WithHint("start the peer without --msb 0")
	}
	return p.part.Use(ctx, patience, func() error {
		return fault.New(fault.Unavailable, "the settlement network has not started: %s", p.choice().waitsFor()).
			WithHint("connect with a peer that runs it (--msb-validators, --dht-bootstrap), then call again")
	})
}

// Running is a network that runs.
type Running struct {
	Name    string // "" while none runs
	Genesis bft.Hash
	Dir     string // of its files
}

// Running tells which network runs, and starts nothing.
func (p *Plane) Running() Running {
	n := p.part.Running()
	if n == nil {
		return Running{}
	}
	return Running{Name: n.settings.Network, Genesis: n.hash, Dir: p.choice().home()}
}

// met lets what rests go out again when a light client that had no server may
// have one.
func (p *Plane) met(peer identity.PublicKey, connected bool) {
	n := p.part.Running()
	if !connected || n == nil || n.node != nil {
		return
	}
	if n.servers.back(peer); n.servers.speaking() <= 1 {
		n.outbox.Wake()
	}
}

func errStopped() error {
	return fault.New(fault.Unavailable, "the settlement network has stopped").WithHint("call again when the peer runs")
}
