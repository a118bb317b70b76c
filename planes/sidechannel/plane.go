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

	book    *book
	screen  *screen
	inboxes *inboxes
	totals  tally

	life sync.Mutex // one join, leave or end at a time; held while network and store work

	mu        sync.RWMutex // guards what follows, and what channels say it guards
	channels  map[ChannelName]*channel
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
// earlier joins that one.
func New(cfg Config, net Network, signer Signer, hub *event.Hub, space *store.Space, log *slog.Logger) (*Plane, error) {
	now := time.Now()
	b, err := openBook(space)
	if err != nil {
		return nil, fmt.Errorf("sidechannel: %w", err)
	}
	var floor time.Time
	if b.run > 1 { // what an earlier run has delivered is not known any more
		floor = now
	}
	p := &Plane{
		net: net, signer: signer, hub: hub, log: log, limit: cfg.MaxChannels, book: b,
		screen:  &screen{self: signer.PublicKey().String(), seen: newReplay(floor, replayLimit)},
		inboxes: newInboxes(inboxesBytes), channels: map[ChannelName]*channel{},
		listeners: map[string][]func(Message){}, firstSeq: b.firstSeq(),
	}
	if p.limit == 0 {
		p.limit = defaultMaxChannels
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

// know adds a channel that is to be joined at the start.
func (p *Plane) know(name ChannelName, booked bool) {
	if ch := p.channels[name]; ch != nil {
		ch.booked = ch.booked || booked
		return
	}
	p.channels[name] = p.newChannel(name, booked)
}

// Run joins the channels and holds them until ctx ends; then it leaves every
// topic, and what was started for them has ended when it returns. It runs once:
// a second call is an error.
func (p *Plane) Run(ctx context.Context) error {
	if err := p.begin(); err != nil {
		return err
	}
	defer p.end()
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
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			p.screen.seen.tidy(now)
		}
	}
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

// May tells whether a peer may read or write on a channel. On an open channel
// everybody may, as long as this peer is in it.
func (p *Plane) May(channel string, peer identity.PublicKey, access Access) bool {
	return p.find(ChannelName(channel)) != nil && (access == Read || access == Write)
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
