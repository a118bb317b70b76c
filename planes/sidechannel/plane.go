package sidechannel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// Config is how a plane differs from the default. The zero value serves.
type Config struct {
	// Channels are joined at every start beside those that clients joined. A
	// client may leave one until the next start.
	Channels []ChannelName

	// MaxChannels bounds the joined channels, the entry channel included; 0 means
	// 2048. Too low and joins are refused; too high and whoever may call sc_join
	// makes this peer meet strangers without end.
	MaxChannels int

	// Policy is what this peer asks of channels.
	Policy Policy

	// Debug logs at level info why what others say does not count; otherwise it is
	// logged at level debug.
	Debug bool

	// Seal carries invite-only channels. nil: they travel as open ones do, readable
	// by whoever passes them on, and sc_join says so.
	Seal Sealer
}

const defaultMaxChannels = 2048

// Plane is the sidechannel of one peer. Its methods may be called from any
// goroutine, before, during and after [Plane.Run]; once that has returned they
// refuse to join and send.
type Plane struct {
	net    Network
	signer Signer
	hub    *event.Hub
	log    *slog.Logger
	limit  int // of channels
	policy *Policy
	seal   Sealer // nil: none
	detail slog.Level

	book    *book
	screen  *screen
	inboxes *inboxes
	totals  tally
	pace    *pace
	outbox  *outbox
	words   chan word // controls that passed and wait to be acted on
	asked   *requests
	acks    *acks

	life sync.Mutex // one join, leave or end at a time; held while network and store work

	mu        sync.RWMutex // guards what follows, and what channels say it guards
	channels  map[ChannelName]*channel
	laws      map[ChannelName]*charter
	listeners map[string][]func(Message)
	firstSeq  uint64 // number of the first message of a channel that is joined now
	phase     phase
}

type phase int

const (
	idle phase = iota
	running
	ended
)

// New makes a plane that knows which channels it is in. It reads and writes the
// store, and starts nothing: [Plane.Run] joins the channels, and whoever uses one
// earlier joins that one. A policy that cannot be is refused, with all that is
// wrong with it.
func New(cfg Config, net Network, signer Signer, hub *event.Hub, space *store.Space, log *slog.Logger) (*Plane, error) {
	now := time.Now()
	if err := cfg.Policy.check(now); err != nil {
		return nil, err
	}
	b, err := openBook(space)
	if err != nil {
		return nil, fmt.Errorf("sidechannel: %w", err)
	}
	var floor time.Time
	if b.run > 1 { // what an earlier run has delivered is not known any more
		floor = now
	}
	rates := cfg.Policy.Rates
	p := &Plane{
		net: net, signer: signer, hub: hub, log: log, limit: cfg.MaxChannels, policy: &cfg.Policy, seal: cfg.Seal, book: b,
		screen: &screen{
			self: signer.PublicKey().String(), seen: newReplay(floor, replayLimit),
			limits: newLimiter(rates.Unlimited), authors: rates.author(),
		},
		inboxes: newInboxes(inboxesBytes), channels: map[ChannelName]*channel{}, laws: map[ChannelName]*charter{},
		listeners: map[string][]func(Message){}, firstSeq: b.firstSeq(),
		pace: newPace(rates), outbox: newOutbox(), words: make(chan word, maxWords), asked: newRequests(), acks: newAcks(),
	}
	if p.limit == 0 {
		p.limit = defaultMaxChannels
	}
	p.detail = slog.LevelDebug
	if cfg.Debug {
		p.detail = slog.LevelInfo
	}
	if err := p.remember(now); err != nil {
		return nil, err
	}
	p.know(Entry, false)
	for _, name := range cfg.Channels {
		p.know(name, false)
	}
	for _, name := range b.joined {
		p.know(name, true)
	}
	return p, nil
}

// remember reads what earlier runs have learned, and takes what the policy adds.
func (p *Plane) remember(now time.Time) error {
	laws, err := p.book.readLaws()
	if err != nil {
		return fmt.Errorf("sidechannel: %w", err)
	}
	for name, kept := range laws {
		p.laws[name] = newCharter(name, p.signer.PublicKey(), p.policy, p.book, kept)
	}
	for _, w := range p.policy.Welcomes {
		law, err := p.law(w.Channel)
		if err == nil {
			_, err = law.offer(w, now, true)
		}
		if err != nil {
			return fmt.Errorf("sidechannel: %w", err)
		}
	}
	blocks, err := p.book.readBlocks(now)
	if err != nil {
		return fmt.Errorf("sidechannel: %w", err)
	}
	for payer, until := range blocks {
		p.screen.limits.block(payer, until, now)
		p.mute(payer, until)
	}
	p.screen.limits.onBlock = func(payer string, until time.Time) {
		p.mute(payer, until)
		p.log.Warn("a peer sends too much that is wrong or too much at all; what it sends is dropped", "who", payer, "until", until)
		p.book.later(func(b *book) error { return b.keepBlock(payer, until) })
	}
	return nil
}

// mute spares the network the frames of a peer that is blocked. What comes of a
// blocked author over others is dropped later.
func (p *Plane) mute(payer string, until time.Time) {
	if key, err := identity.ParsePublicKey(payer[1:]); err == nil {
		p.net.Mute(key, until)
	}
}

// maxLaws bounds the channels of which something is known.
const maxLaws = 8192

// law gives the charter of a channel, which need not be joined.
func (p *Plane) law(name ChannelName) (*charter, error) {
	p.mu.RLock()
	law := p.laws[name]
	p.mu.RUnlock()
	if law != nil {
		return law, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if law := p.laws[name]; law != nil {
		return law, nil
	}
	if len(p.laws) >= maxLaws {
		return nil, fault.New(fault.Limited, "channel %q would be one more than the %d of which this peer knows the rules", name, maxLaws).
			WithHint("sc_leave channels that are not needed")
	}
	law = newCharter(name, p.signer.PublicKey(), p.policy, p.book, record{})
	p.laws[name] = law
	return law, nil
}

// know adds a channel that is to be joined at the start.
func (p *Plane) know(name ChannelName, booked bool) {
	if ch := p.channels[name]; ch != nil {
		ch.booked = ch.booked || booked
		return
	}
	law := p.laws[name]
	if law == nil {
		law = newCharter(name, p.signer.PublicKey(), p.policy, p.book, record{})
		p.laws[name] = law
	}
	p.channels[name] = p.newChannel(name, law, booked)
}

// Run joins the channels and holds them until ctx ends; then it leaves every
// topic, and what was started for them has ended when it returns. It runs once:
// a second call is an error.
func (p *Plane) Run(ctx context.Context) error {
	if err := p.begin(); err != nil {
		return err
	}
	defer p.end()
	p.serve()
	for _, ch := range p.list() {
		if ctx.Err() != nil {
			return nil
		}
		if err := p.attachListed(ch); err != nil && ch.name == Entry {
			return fmt.Errorf("sidechannel: joining %q: %w", ch.name, err)
		} else if err != nil {
			p.log.Error("a channel cannot be joined; using it tries again", "channel", ch.name, "err", err)
		}
	}
	p.work(ctx)
	return nil
}

func (p *Plane) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != idle {
		return errors.New("sidechannel: a plane runs once")
	}
	p.phase = running
	return nil
}

// end leaves every topic and wakes every reader. The channels stay in the book.
func (p *Plane) end() {
	p.life.Lock()
	defer p.life.Unlock()
	p.mu.Lock()
	p.phase = ended
	p.mu.Unlock()
	for _, ch := range p.list() {
		p.detach(ch)
	}
}

// errEnded is what a plane answers after its end.
func errEnded() error {
	return fault.New(fault.Unavailable, "the sidechannel has stopped").WithHint("call again when the peer runs")
}

// Listen hands every delivered message that is an object with "app": app to f.
// Calls come on the goroutine that delivers, in order for each channel, so that
// nothing is lost between: f must be quick, and must neither join nor leave.
// Messages of this peer itself do not come. Listen before [Plane.Run], so that
// none is missed.
func (p *Plane) Listen(app string, f func(Message)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners[app] = append(p.listeners[app], f)
}

// Access is what a peer may do on a channel.
type Access int

// The two rights on a channel.
const (
	Read Access = iota + 1
	Write
)

// May tells whether a peer may read or write on a channel, as far as this peer
// knows: everybody on an open one, the owner alone where only owners write,
// inviters and live guests on an invite-only one. On a channel that this peer is
// not in, nobody may.
func (p *Plane) May(channel string, peer identity.PublicKey, access Access) bool {
	ch := p.find(ChannelName(channel))
	if ch == nil {
		return false
	}
	switch access {
	case Read:
		return ch.law.mayRead(peer, time.Now())
	case Write:
		return ch.law.mayWrite(peer, time.Now())
	}
	return false
}

// Joined lists the names of the joined channels, in order.
func (p *Plane) Joined() []string {
	names := []string{}
	for _, ch := range p.list() {
		names = append(names, string(ch.name))
	}
	return names
}

// Members lists the connected peers that are in a channel, this one left out.
func (p *Plane) Members(channel string) []identity.PublicKey {
	if ch := p.find(ChannelName(channel)); ch != nil {
		return p.members(ch)
	}
	return []identity.PublicKey{}
}
