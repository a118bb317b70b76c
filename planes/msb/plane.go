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
	cfg   Config
	log   *slog.Logger
	begin chan *attempt // to Run
	ended chan struct{} // Run has returned

	mu      sync.Mutex
	current *attempt // nil: nobody has asked for a network yet
}

// attempt is one try to have a network; when it has gone wrong the next call
// makes another one.
type attempt struct {
	done chan struct{} // closed when net or err is set
	net  *network
	err  error
}

// New makes a plane. It starts nothing, opens nothing and writes nothing.
func New(cfg Config) *Plane {
	return &Plane{cfg: cfg, log: cfg.Log, begin: make(chan *attempt, 1), ended: make(chan struct{})}
}

// Run runs the network from its first use on, or at once when there is one
// already, until ctx ends. It runs once. A network that fails is no error of
// the peer: its operations say so, and the next one starts it again.
func (p *Plane) Run(ctx context.Context) error {
	defer close(p.ended)
	if p.cfg.Off {
		<-ctx.Done()
		return nil
	}
	p.cfg.Network.OnPeer(p.met)
	if p.cfg.Choice.begun() {
		p.want()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-p.begin:
			p.live(ctx, a)
		}
	}
}

// live has a network and runs it until ctx ends or it fails.
func (p *Plane) live(ctx context.Context, a *attempt) {
	n, err := p.open(ctx)
	if err != nil {
		if p.settle(a, nil, err); ctx.Err() == nil {
			p.log.Error("the settlement network cannot be opened", "err", err)
		}
		return
	}
	err = n.run(ctx, func() { p.settle(a, n, nil) })
	if closing := n.close(); closing != nil {
		err = errors.Join(err, closing)
	}
	p.lose(a, err)
	if err != nil && ctx.Err() == nil {
		p.log.Error("the settlement network has stopped", "network", n.settings.Network, "err", err)
		p.cfg.Hub.Publish("msb_health", healthEvent{Network: n.settings.Network, State: "failed", Reason: fault.Of(err).Message})
	}
}

// settle tells those who wait how an attempt went.
func (p *Plane) settle(a *attempt, n *network, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-a.done:
	default:
		a.net, a.err = n, err
		close(a.done)
	}
}

// lose ends an attempt whose network ran: the next call makes another one.
func (p *Plane) lose(a *attempt, err error) {
	if err == nil {
		err = errStopped()
	}
	p.settle(a, nil, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == a {
		p.current = nil
	}
}

// want gives the attempt under way, or makes one.
func (p *Plane) want() *attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.current; a != nil && !(a.ended() && a.err != nil) {
		return a
	}
	a := &attempt{done: make(chan struct{})}
	p.current = a
	p.begin <- a // Run takes it: there is one attempt at a time
	return a
}

func (a *attempt) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// patience is how long a call waits for its network to start: only one whose
// genesis has to be fetched takes longer than a moment.
const patience = 20 * time.Second

// use gives the network, which it starts if need be.
func (p *Plane) use(ctx context.Context) (*network, error) {
	if p.cfg.Off {
		return nil, fault.New(fault.Unavailable, "settlement is turned off").WithHint("start the peer without --msb 0")
	}
	select {
	case <-p.ended:
		return nil, errStopped()
	default:
	}
	a := p.want()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.done:
		return a.net, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ended:
		return nil, errStopped()
	case <-timer.C:
		return nil, fault.New(fault.Unavailable, "the settlement network has not started: %s", p.choice().waitsFor()).
			WithHint("connect with a peer that runs it (--msb-validators, --dht-bootstrap), then call again")
	}
}

// Running is a network that runs.
type Running struct {
	Name    string // "" while none runs
	Genesis bft.Hash
	Dir     string // of its files
}

// Running tells which network runs, and starts nothing.
func (p *Plane) Running() Running {
	n := p.running()
	if n == nil {
		return Running{}
	}
	return Running{Name: n.settings.Network, Genesis: n.hash, Dir: p.choice().home()}
}

func (p *Plane) running() *network {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.current; a != nil && a.ended() {
		return a.net
	}
	return nil
}

// met lets what rests go out again when a light client that had no server may
// have one.
func (p *Plane) met(peer identity.PublicKey, connected bool) {
	n := p.running()
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
