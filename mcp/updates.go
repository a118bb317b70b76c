package mcp

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"intercom/core/event"
	"intercom/core/op"
)

// How often subscribers are told at most, and how long the pump rests when the
// peer cannot be asked for events.
const (
	tellEvery  = 50 * time.Millisecond
	retryAfter = time.Second
	eventBatch = 1000
)

// Bounds of what clients may subscribe to, per subscription and per transport. A
// listen stream is a request that stays; the second bound leaves room for others.
const (
	maxURIs          = 64
	maxSubscriptions = maxInFlight / 2
)

// place is what a URI names: a view and a channel.
type place struct {
	view    int
	channel string
}

// subscription is one client's interest in some resources. A change marks a
// URI; it stays marked until the client could be told, so bursts become one
// notification and a slow client costs one mark per URI.
type subscription struct {
	places map[string]place // by URI, as the client writes it
	marked map[string]bool
	tell   func(uri string) bool // must not wait; false: no room now
	hangUp context.CancelFunc    // ends the stream that it serves; nil if it is none
}

// updates tells the subscribers of one transport which resources changed.
type updates struct {
	caller op.Caller
	views  []view
	log    *slog.Logger
	// inbox gives the way to the notifications of a session that subscribed by
	// resources/subscribe; modern listen streams bring their own.
	inbox func(session string) func(uri string) bool

	mu       sync.Mutex
	all      map[*subscription]bool
	sessions map[string]*subscription // the ones made by resources/subscribe
	cursor   event.Cursor             // how far the pump has read, while there are subscriptions
	wake     chan struct{}            // holds one token when a subscription came
}

func newUpdates(s *Server) *updates {
	return &updates{
		caller: s.caller, views: s.views, log: s.log,
		all: map[*subscription]bool{}, sessions: map[string]*subscription{}, wake: make(chan struct{}, 1),
	}
}

// locate finds what a URI names.
func (u *updates) locate(uri string) (place, bool) {
	for i, v := range u.views {
		if channel, ok := v.channel(uri); ok {
			return place{i, channel}, true
		}
	}
	return place{}, false
}

// add takes a subscription in, unless there are too many: what happens from now
// on is seen. It is called before a subscription is acknowledged.
func (u *updates) add(ctx context.Context, s *subscription) {
	now, err := u.caller.Now(ctx)
	if err != nil {
		u.log.Warn("mcp: cannot place a subscription in time", "err", err)
		now = "" // it will hear of older changes too
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.all) >= maxSubscriptions {
		return
	}
	if len(u.all) == 0 {
		u.cursor = now // otherwise the pump is at an earlier place, for the others
	}
	u.all[s] = true
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

func (u *updates) remove(s *subscription) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.all, s)
}

// forget drops what a session subscribed to.
func (u *updates) forget(session string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.all, u.sessions[session])
	delete(u.sessions, session)
}

// hangUp ends every listen stream, so that their requests are answered.
func (u *updates) hangUp() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for s := range u.all {
		if s.hangUp != nil {
			s.hangUp()
		}
	}
}

// run is the pump: it reads events while there are subscriptions, and tells
// them. It ends with the context.
func (u *updates) run(ctx context.Context) {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		cursor, waiting := u.next()
		if cursor == nil {
			select {
			case <-u.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		pause := tellEvery
		batch, err := u.events(ctx, *cursor, waiting)
		if err != nil {
			u.log.Debug("mcp: no events", "err", err)
			pause = retryAfter
		} else {
			u.tell(batch)
		}
		rest.Reset(pause)
		select {
		case <-rest.C:
		case <-ctx.Done():
			return
		}
	}
}

// next is where to read on, or nil when nobody is subscribed; waiting tells
// that some client could not be told yet.
func (u *updates) next() (cursor *event.Cursor, waiting bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.all) == 0 {
		return nil, false
	}
	for s := range u.all {
		waiting = waiting || len(s.marked) > 0
	}
	at := u.cursor
	return &at, waiting
}

// events waits for events, but not for long while a client waits to be told.
func (u *updates) events(ctx context.Context, after event.Cursor, waiting bool) (event.Batch, error) {
	if waiting {
		short, cancel := context.WithTimeout(ctx, tellEvery)
		defer cancel()
		ctx = short
	}
	return u.caller.Events(ctx, after, eventBatch)
}

// tell marks what changed and tells whoever has room.
func (u *updates) tell(batch event.Batch) {
	changed, all := u.changed(batch.Events)
	u.mu.Lock()
	defer u.mu.Unlock()
	if batch.Next != "" {
		u.cursor = batch.Next
	}
	for s := range u.all {
		for uri, at := range s.places {
			if all || changed[at] {
				s.marked[uri] = true
			}
		}
		for uri := range s.marked {
			if s.tell(uri) {
				delete(s.marked, uri)
			}
		}
	}
}

// changed lists the places that events are about. After a gap it may be any.
func (u *updates) changed(events []event.Event) (places map[place]bool, all bool) {
	places = map[place]bool{}
	for _, e := range events {
		if e.Kind == event.Gap {
			return nil, true
		}
		for i, v := range u.views {
			if !slices.Contains(v.events, e.Kind) {
				continue
			}
			var about struct {
				Channel string `json:"channel"`
			}
			if json.Unmarshal(e.Data, &about) == nil {
				places[place{i, about.Channel}] = true
			}
		}
	}
	return places, false
}
