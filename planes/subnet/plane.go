package subnet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/ondemand"
	"intercom/core/p2p"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/machine"
)

// Config is how a plane differs from the default, and what it stands on. Choice,
// Signer, Contract, Network, Hub and Log are needed.
type Config struct {
	// Choice is the subnet.
	Choice Choice
	// Indexer has this peer keep the whole chain of another's subnet, and consent
	// when the admin asks it to confirm entries. A peer that made the subnet does so
	// in any case.
	Indexer bool
	// Signer is the author of what this peer writes, and who pays for it.
	Signer   machine.Signer
	Contract *contract.Contract
	Network  Network
	// Settlement is where transactions are paid; nil makes subnets that pay nothing,
	// and cannot join one that does.
	Settlement Settlement
	// Timer is how often the admin's peer writes the time as feature timer_currentTime;
	// 0 is never.
	Timer time.Duration
	Hub   *event.Hub
	Log   *slog.Logger
}

// Network is what the plane needs of the network between peers: a [p2p.Host].
type Network interface {
	Peers() []identity.PublicKey
	OnPeer(f func(key identity.PublicKey, connected bool))
	Handle(protocol string, f func(ctx context.Context, remote identity.PublicKey, s p2p.Stream))
	Open(ctx context.Context, peer identity.PublicKey, protocol string) (p2p.Stream, error)
	Rendezvous(ns [32]byte) (stop func())
}

// Plane is one peer's part in one subnet. Its methods may be called from any
// goroutine at any time; while [Plane.Run] does not run they answer
// [fault.Unavailable].
type Plane struct {
	cfg  Config
	log  *slog.Logger
	part *ondemand.Part[*member]
	poke chan struct{} // a peer came or went
}

// New makes a plane. It starts nothing, opens nothing and writes nothing.
func New(cfg Config) *Plane {
	return &Plane{cfg: cfg, log: cfg.Log, part: ondemand.New[*member](errStopped), poke: make(chan struct{}, 1)}
}

// Run takes part in the subnet from its first use on, or at once when it was named
// or used before, until ctx ends. It runs once. A subnet that fails is no error of
// the peer: its operations say so, and the next one starts it again.
func (p *Plane) Run(ctx context.Context) error {
	p.cfg.Network.OnPeer(func(identity.PublicKey, bool) { signal(p.poke) })
	if p.cfg.Choice.begun() {
		p.part.Want()
	}
	p.part.Run(ctx, p.live)
	return nil
}

// live has the subnet and takes part in it until ctx ends or it fails.
func (p *Plane) live(ctx context.Context, ready func(*member)) error {
	m, err := p.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Error("the subnet cannot be opened", "err", err)
		}
		return err
	}
	err = m.run(ctx, func() { ready(m) })
	if closing := m.close(); closing != nil {
		err = errors.Join(err, closing)
	}
	if err != nil && ctx.Err() == nil {
		p.log.Error("the subnet has stopped", "subnet", m.bootstrap, "err", err)
		p.cfg.Hub.Publish("subnet_health", healthEvent{Subnet: m.bootstrap.String(), State: "failed", Reason: fault.Of(err).Message})
	}
	return err
}

// patience is how long a call waits for the subnet: only a joiner that has met no
// peer of it waits longer than a moment.
const patience = 20 * time.Second

// use gives the subnet, which is made or joined if need be.
func (p *Plane) use(ctx context.Context) (*member, error) {
	return p.part.Use(ctx, patience, func() error {
		return fault.New(fault.Unavailable, "subnet %s is not there yet: no peer of it has answered", p.cfg.Choice.Bootstrap).
			WithHint("connect with a peer of it (--dht-bootstrap) whose bootstrap key this is, then call again")
	})
}

// Running tells in which subnet this peer takes part: its bootstrap key and channel.
// It starts nothing; ok is false while there is none.
func (p *Plane) Running() (bootstrap identity.PublicKey, channel string, ok bool) {
	m := p.part.Running()
	if m == nil {
		return identity.PublicKey{}, "", false
	}
	return m.bootstrap, p.cfg.Choice.Channel, true
}

func errStopped() error {
	return fault.New(fault.Unavailable, "the subnet has stopped").WithHint("call again when the peer runs")
}

// signal raises a flag that somebody may be waiting for.
func signal(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}
