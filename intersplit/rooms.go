package intersplit

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"intercom/core/event"
	"intercom/core/feed"
	"intercom/core/op"
	"intercom/core/store"
	"intercom/intersplit/ledger"
)

// Config is what a peer may set. The zero value is useful.
type Config struct {
	// Now is the clock that dates entries; nil means the machine's.
	Now func() time.Time
	// Refresh is how often rooms are compared with a member though nothing seems to
	// be missing: it finds what was lost on the way. Too short costs traffic, too
	// long leaves a lost announcement unnoticed for as long. 0 means 20 s.
	Refresh time.Duration
	// RoomBytes is what one room takes on the disk at most. Too low and a long-lived
	// room goes incomplete; too high and strangers in an open channel fill the disk.
	// 0 means 1 GiB.
	RoomBytes uint64
	// SnapshotFile is where a copy of all rooms is kept in the seed application's
	// form; none when it is empty.
	SnapshotFile string
	Log          *slog.Logger // nil means none
}

// Deps are the parts of the peer that rooms are built on.
type Deps struct {
	Feeds    *feed.Feeds
	Space    *store.Space // of its own, beside the feeds' in the same store
	Signer   feed.Signer
	Channels Channels
	Streams  Streams
	Hub      *event.Hub
	// Contract is where rooms are persisted; nil for a peer without one.
	Contract Contract
}

// Rooms is the ledgers of one peer. Its methods may be called from any goroutine.
type Rooms struct {
	feeds    *feed.Feeds
	space    *store.Space
	signer   feed.Signer
	self     ledger.Author
	channels Channels
	streams  Streams
	contract Contract
	hub      *event.Hub
	log      *slog.Logger
	now      func() time.Time

	intake    intake
	schedule  schedule
	arrivals  arrivals
	quota     quota
	snapshots snapshots

	mu     sync.Mutex
	byName map[string]*room
	byFeed map[feed.FeedID]*room
}

// New makes the ledgers of a peer. It starts nothing; it listens to the channels'
// messages from now on and works on them once [Rooms.Run] runs.
func New(deps Deps, cfg Config) *Rooms {
	r := &Rooms{
		feeds: deps.Feeds, space: deps.Space, signer: deps.Signer, self: ledger.Author(deps.Signer.PublicKey()),
		channels: deps.Channels, streams: deps.Streams, contract: deps.Contract, hub: deps.Hub, log: cfg.Log, now: cfg.Now,
		byName: map[string]*room{}, byFeed: map[feed.FeedID]*room{},
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	r.intake.init()
	r.schedule.init(cfg.Refresh)
	r.arrivals.init()
	r.snapshots.init(cfg.SnapshotFile)
	r.quota.bytes = cmp.Or(cfg.RoomBytes, defaultRoomBytes)
	deps.Feeds.Guard(r.guard)
	deps.Feeds.OnStored(r.stored)
	deps.Channels.Listen(app, r.hear)
	deps.Streams.Handle(syncProtocol, r.answer)
	return r
}

// Ops are the operations of the ledger.
func (r *Rooms) Ops() []*op.Op {
	return slices.Concat([]*op.Op{r.addOp(), r.listOp(), r.balanceOp(), r.clearOp(), r.persistOp(), r.restoreOp()}, r.exchangeOps(), r.changeOps(), r.viewOps())
}

// Run takes in what members announce, fetches what is missing and keeps the
// snapshot file, until ctx ends.
// When it returns, all it started has ended.
func (r *Rooms) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { r.takeIn(ctx) })
	running.Go(func() { r.keepInStep(ctx) })
	running.Go(func() { r.keepSnapshots(ctx) })
	running.Wait()
	return nil
}

// room gives the ledger of a channel whose name is in its one spelling. Only a
// room that is kept follows the feed.
func (r *Rooms) room(channel string, keep bool) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	rm, known := r.byName[channel]
	if !known {
		rm = newRoom(channel, r.feeds, r.channels, r.quota)
		if keep {
			r.byName[channel], r.byFeed[rm.id] = rm, rm
		}
	}
	return rm
}

// known finds a room that is kept, by its feed; nil when there is none.
func (r *Rooms) known(id feed.FeedID) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byFeed[id]
}

// call is one call's stay in a room.
type call struct {
	channel string
	room    *room
	joined  bool
	fresh   Freshness
}

// enter enters a room for a call: it joins the channel, unless the call only
// wants to know what it would do.
func (r *Rooms) enter(ctx context.Context, name Channel, dry bool) (call, error) {
	channel, err := r.channels.Name(string(name))
	if err != nil {
		return call{}, err
	}
	c := call{channel: channel}
	if !dry {
		if c.joined, err = r.channels.Join(ctx, channel); err != nil {
			return call{}, err
		}
		r.arrivals.come(channel, c.joined, time.Now())
		if c.joined {
			r.schedule.wake()
		}
	}
	c.room = r.room(channel, !dry)
	return c, nil
}

// visit enters a room for a call that depends on what others have recorded: when
// nothing of theirs has come yet, it waits for it, a bounded time.
func (r *Rooms) visit(ctx context.Context, name Channel, dry bool) (call, error) {
	c, err := r.enter(ctx, name, dry)
	if err == nil && !c.room.incomplete() { // which says more
		r.catchUp(ctx, c.channel)
		c.fresh = r.freshness(c.room)
	}
	return c, err
}

// stored follows the feeds: own entries and others', once each, parents first.
func (r *Rooms) stored(e *feed.Entry) {
	rm := r.known(e.Feed)
	if rm == nil {
		return // another owner's feed, or a room that is built when it is looked at
	}
	entry, err := rm.follow(e)
	if err != nil {
		r.log.Error("a stored entry does not fit its ledger", "channel", rm.channel, "entry", idText(entry.ID), "err", err)
		return
	}
	r.snapshots.touch()
	r.tell(rm, &entry)
}
