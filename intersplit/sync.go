package intersplit

import (
	"context"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// syncProtocol names the streams over which rooms are compared: one peer runs
// [feed.Feeds.Sync] or Fetch, the other Serve.
const syncProtocol = "/intercom/ledger/1"

const (
	lookAround = 500 * time.Millisecond // how often members are looked at
	lookAtHeld = 5 * time.Second        // how often entries dated ahead are
	errandTime = 5 * time.Minute        // for one comparison; what it has brought stays
)

// keepInStep compares rooms with members until ctx ends.
func (r *Rooms) keepInStep(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	around, held := time.NewTicker(lookAround), time.NewTicker(lookAtHeld)
	defer around.Stop()
	defer held.Stop()
	for {
		r.revokeAll(ctx)
		r.meet()
		for _, e := range r.schedule.next(r.signer.PublicKey(), r.now()) {
			running.Go(func() { r.run(ctx, e) })
		}
		select {
		case <-ctx.Done():
			return
		case <-around.C:
		case <-r.schedule.poke:
		case <-held.C:
			if _, err := r.feeds.Due(ctx, r.now()); err != nil && ctx.Err() == nil {
				r.log.Error("held entries cannot be stored", "err", err)
			}
		}
	}
}

// meet looks who is there.
func (r *Rooms) meet() {
	asOf := time.Now()
	joined := r.channels.Joined()
	present := r.present(joined)
	r.arrivals.meet(joined, present, asOf)
	r.schedule.meet(present, r.now())
}

// present lists every member of channels.
func (r *Rooms) present(channels []string) []pair {
	var present []pair
	for _, channel := range channels {
		for _, peer := range r.channels.Members(channel) {
			present = append(present, pair{channel, peer})
		}
	}
	return present
}

// run does one errand.
func (r *Rooms) run(ctx context.Context, e errand) {
	err := r.compare(ctx, e)
	switch {
	case fault.KindOf(err) == fault.Conflict:
		r.disagree(e, err)
	case err != nil && ctx.Err() == nil:
		r.log.Debug("a room could not be compared", "channel", e.channel, "peer", e.peer, "err", err)
	case err == nil && !e.short:
		r.arrivals.settle(e.channel)
	}
	r.schedule.done(e, err == nil, r.now())
}

// disagree tells, once per meeting, that a member holds others to count than this
// peer does, so that no entries are exchanged.
func (r *Rooms) disagree(e errand, err error) {
	if !r.schedule.refuse(e.pair, err.Error()) {
		return
	}
	r.log.Warn("a room cannot be kept in step with a member", "channel", e.channel, "peer", e.peer, "err", err)
	r.hub.Publish("expense_conflict", disagreement{Channel: e.channel, Peer: e.peer.String(), Reason: err.Error()})
}

// compare brings a room in step with a member's: the short way when it is enough.
func (r *Rooms) compare(ctx context.Context, e errand) error {
	ctx, cancel := context.WithTimeout(ctx, errandTime)
	defer cancel()
	rm := r.room(e.channel, true)
	report := r.reporter(e.peer)
	defer report.end()
	session := r.session(e.peer, report)
	if missing := r.feeds.MissingFrom(rm.id, e.peer); e.short && len(missing) > 0 {
		_, err := r.open(ctx, e.peer, func(s Stream) (feed.Result, error) {
			return r.feeds.Fetch(ctx, s, rm.id, missing, session)
		})
		if fault.KindOf(err) != fault.Limited {
			return err
		}
	}
	for {
		result, err := r.open(ctx, e.peer, func(s Stream) (feed.Result, error) {
			return r.feeds.Sync(ctx, s, rm.id, session)
		})
		if err != nil || !result.More {
			return err
		}
	}
}

// open runs one conversation that this peer begins.
func (r *Rooms) open(ctx context.Context, peer identity.PublicKey, talk func(s Stream) (feed.Result, error)) (feed.Result, error) {
	s, err := r.streams.Open(ctx, peer, syncProtocol)
	if err != nil {
		return feed.Result{}, err
	}
	result, err := talk(s)
	if err != nil {
		_ = s.Reset()
		return result, err
	}
	return result, s.Close()
}

// answer serves one conversation that another peer begins.
func (r *Rooms) answer(ctx context.Context, remote identity.PublicKey, s Stream) {
	if !r.schedule.admit(remote) {
		_ = s.Reset() // it tries again later
		return
	}
	defer r.schedule.release(remote)
	ctx, cancel := context.WithTimeout(ctx, errandTime)
	defer cancel()
	report := r.reporter(remote)
	defer report.end()
	err := r.feeds.Serve(ctx, s, r.session(remote, report))
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		_ = s.Reset()
		r.log.Debug("a member's comparison ended early", "peer", remote, "err", err)
	}
}

// session lets a peer have the rooms of the channels that both are in. The
// channel's policy is asked before each batch, so that losing a right ends the
// conversation. A room is named by its feed's id alone: to whoever is not in the
// channel, it says nothing.
func (r *Rooms) session(remote identity.PublicKey, report *reporter) feed.Session {
	return feed.Session{
		Remote: remote,
		May: func(id feed.FeedID) bool {
			rm := r.roomOf(id)
			if rm == nil || !r.channels.May(rm.channel, remote, Read) {
				return false
			}
			report.begin(rm)
			return true
		},
		Terms: func(id feed.FeedID) []byte {
			if rm := r.known(id); rm != nil {
				return r.channels.Policy(rm.channel).terms()
			}
			return nil
		},
		Agree: func(id feed.FeedID, theirs []byte) error {
			if rm := r.known(id); rm != nil {
				return r.channels.Policy(rm.channel).agree(rm.channel, theirs)
			}
			return nil
		},
		Progress: report.tell,
	}
}

// roomOf finds the room of a feed among the channels that this peer is in; nil
// when it is none of them.
func (r *Rooms) roomOf(id feed.FeedID) *room {
	if rm := r.known(id); rm != nil {
		return rm
	}
	for _, channel := range r.channels.Joined() {
		r.room(channel, true)
	}
	return r.known(id)
}

func errDenied(channel string, peer identity.PublicKey) error {
	return fault.New(fault.Denied, "%s may not do this in channel %q", peer, channel)
}
