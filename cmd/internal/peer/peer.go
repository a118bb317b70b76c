// Package peer assembles a peer: the one place that knows every part.
//
// It opens the identity and the store, plugs planes and application together,
// lists their operations, and runs them. Surfaces other than the bridge are
// given [Peer.Registry] by whoever made the peer.
package peer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"intercom/agent"
	"intercom/cmd/internal/config"
	"intercom/core"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/core/store"
	"intercom/intersplit"
	"intercom/planes/msb"
	"intercom/planes/sidechannel"
	"intercom/planes/sidechannel/sealed"
	"intercom/planes/subnet"
)

const entryChannel = string(sidechannel.Entry)

// Peer is one running peer of this process.
type Peer struct {
	// Registry is how surfaces call the peer.
	Registry *op.Registry
	// Origin tells where the identity came from at this start.
	Origin identity.Origin

	cfg     config.Config
	log     *slog.Logger
	id      *identity.Identity
	store   *store.Store
	host    *p2p.Host
	plane   *sidechannel.Plane
	keeper  *sealed.Keeper
	rooms   *intersplit.Rooms
	choice  msb.Choice // of the settlement network
	msb     *msb.Plane
	town    subnet.Choice // of the subnet
	subnet  *subnet.Plane
	bridge  *bridge // nil when it is off
	page    *web    // nil when it is off
	run     string  // names this run
	started time.Time
	stop    context.CancelFunc
	stopped context.Context
}

// Open opens the store of cfg, whose lock the caller holds, and listens. The
// peer lives from Run on.
func Open(cfg config.Config, log *slog.Logger) (*Peer, error) {
	p := &Peer{cfg: cfg, log: log, run: instance(), started: time.Now()}
	p.stopped, p.stop = context.WithCancel(context.Background())
	for _, step := range []func() error{p.openStore, p.chooseNetwork, p.chooseSubnet, p.listen, p.assemble, p.listenPage, p.openBridge, p.openPage} {
		if err := step(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func (p *Peer) openStore() error {
	passphrase, err := Passphrase(p.cfg)
	if err != nil {
		return err
	}
	if p.id, p.Origin, err = identity.OpenOrCreate(p.cfg.Store(), passphrase); err != nil {
		return err
	}
	p.store, err = store.Open(filepath.Join(p.cfg.Store(), "data"), store.WithLog(p.log))
	return err
}

func (p *Peer) listen() error {
	var swarmKey []byte
	if p.cfg.SwarmKeyFile != "" {
		var err error
		if swarmKey, err = os.ReadFile(p.cfg.SwarmKeyFile); err != nil {
			return fault.New(fault.Invalid, "--swarm-key: %v", err).WithHint("name a file with the key of the private network")
		}
	}
	host, err := p2p.Listen(p2p.Config{
		Identity: p.id, Listen: p.cfg.Listen, EntryPort: p.cfg.EntryPort, MDNS: p.cfg.MDNS,
		DHTBootstrap: slices.Concat(p.cfg.DHTBootstrap, p.choice.Validators), PublicDHT: p.cfg.PublicDHT, SwarmKey: swarmKey, Log: p.log,
		Only: p.cfg.P2POnly, Backbone: p.cfg.Backbone,
	})
	p.host = host
	return err
}

func (p *Peer) assemble() error {
	hub := event.NewHub(p.run, event.Limits{})
	p.host.OnPeer(func(key identity.PublicKey, connected bool) {
		kind := "peer_left"
		if connected {
			kind = "peer_joined"
		}
		hub.Publish(kind, map[string]string{"peer": key.String()})
	})
	cfg, err := p.sidechannelConfig()
	if err != nil {
		return err
	}
	p.keeper = sealed.NewKeeper(p.host, p.id, p.store.Space("sidechannel keys"), p.log)
	cfg.Seal = sidechannel.SealWith(p.keeper, sidechannel.Over(p.host), p.id, p.log)
	p.plane, err = sidechannel.New(cfg, sidechannel.Over(p.host), p.id, hub, p.store.Space("sidechannel"), p.log)
	if err != nil {
		return err
	}
	feeds, err := feed.Open(p.store.Space("feed"), p.log)
	if err != nil {
		return err
	}
	p.msb = msb.New(msb.Config{Off: p.cfg.Settlement.Off, Choice: p.choice, Given: p.givenNetwork, Signer: p.id, Network: p.host, Hub: hub, Log: p.log})
	p.subnet = p.newSubnet(hub)
	p.rooms = p.newRooms(feeds, hub)
	p.Registry = op.NewRegistry(hub, p.log)
	p.declare(p.Registry)
	return nil
}

// Run runs the peer until ctx ends, somebody calls exit, or a part fails.
func (p *Peer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.stopped, cancel)()
	parts := []core.Plane{part(p.host.Run), p.plane, part(p.keeper.Run), p.rooms, p.msb, p.subnet}
	if p.bridge != nil {
		parts = append(parts, part(p.bridge.run))
	}
	if p.page != nil {
		parts = append(parts, part(p.page.server.Run))
	}
	err := core.Run(ctx, parts...)
	p.Registry.Close()
	return err
}

// part is something that runs and has no operations.
type part func(context.Context) error

func (part) Ops() []*op.Op                     { return nil }
func (run part) Run(ctx context.Context) error { return run(ctx) }

// Close lets go of everything, after Run.
func (p *Peer) Close() error {
	p.stop()
	var errs []error
	if p.Registry != nil {
		p.Registry.Close()
	}
	if p.bridge != nil {
		p.bridge.listener.Close() // Run has closed it, if it ran
	}
	if p.page != nil {
		p.page.listener.Close() // as above
	}
	if p.host != nil {
		errs = append(errs, p.host.Close())
	}
	if p.store != nil {
		errs = append(errs, p.store.Close())
	}
	return errors.Join(errs...)
}

// Release lets go of what a client of a surface held.
func (p *Peer) Release(client string) { p.plane.Release(client) }

// Words are the words of the identity, for its owner's eyes.
func (p *Peer) Words() identity.Mnemonic { return p.id.Mnemonic() }

// Key is the public key of the peer.
func (p *Peer) Key() identity.PublicKey { return p.id.PublicKey() }

// Addrs are the addresses that other peers can dial.
func (p *Peer) Addrs() []string { return p.host.Addrs() }

// instance names this run of the peer in event cursors.
func instance() string {
	var raw [6]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

// Passphrase reads the passphrase file, if one is named.
func Passphrase(cfg config.Config) ([]byte, error) {
	if cfg.PassphraseFile == "" {
		return nil, nil
	}
	return secretFile("--passphrase-file", cfg.PassphraseFile)
}

// bridge is the SC-Bridge and where it listens.
type bridge struct {
	server    *agent.Bridge
	listener  net.Listener
	tokenFile string // "" when the token came by flag
}

func (b *bridge) run(ctx context.Context) error { return b.server.Run(ctx, b.listener) }

// Instance names this run of the peer, as its event cursors do.
func (p *Peer) Instance() string { return p.run }
