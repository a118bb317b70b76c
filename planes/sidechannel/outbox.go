package sidechannel

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/fault"
)

// Bounds of what waits to be sent.
const (
	maxPosts     = 4096
	maxPostBytes = 16 << 20
	maxCalls     = 16384
	maxPaceWait  = 30 * time.Second // a sender that would wait longer is told to send less
)

// pace keeps this peer below the limits that it applies to others, so that an
// honest peer is never blocked. It is a bucket that may be overdrawn: who draws
// waits until it is filled up to zero.
type pace struct {
	off   bool
	terms terms

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

func newPace(r Rates) *pace {
	return &pace{off: r.Unlimited, terms: terms{rate: float64(r.bytes()) * paceShare / 100, burst: float64(r.burst())}}
}

// draw takes bytes and tells how long to wait before they are sent; false takes
// nothing, since that would be longer than most.
func (p *pace) draw(now time.Time, bytes int, most time.Duration) (wait time.Duration, ok bool) {
	if p.off {
		return 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() {
		p.tokens = p.terms.burst
	} else if passed := now.Sub(p.at); passed > 0 {
		p.tokens = min(p.terms.burst, p.tokens+passed.Seconds()*p.terms.rate)
	}
	p.at = now
	left := p.tokens - float64(bytes)
	if left < 0 {
		wait = time.Duration(-left / p.terms.rate * float64(time.Second))
	}
	if wait > most {
		return 0, false
	}
	p.tokens = left
	return wait, true
}

// wait draws and waits.
func (p *pace) wait(ctx context.Context, bytes int) error {
	pause, ok := p.draw(time.Now(), bytes, maxPaceWait)
	if !ok {
		return fault.New(fault.Limited, "this peer has sent too much: members take %d bytes a second from one peer", int(p.terms.rate)).
			WithHint("send less, or later; sc_stats shows the limits")
	}
	if pause == 0 {
		return nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outbox holds what is sent without anybody waiting for it: messages of the
// applications in this process, and controls. [Plane.Run] empties it in order.
type outbox struct {
	posts   chan func(ctx context.Context)
	bytes   atomic.Int64
	wiring  chan *channel // their ways have changed
	heralds chan *channel // they have something to say
}

func newOutbox() *outbox {
	return &outbox{
		posts:  make(chan func(context.Context), maxPosts),
		wiring: make(chan *channel, maxCalls), heralds: make(chan *channel, maxCalls),
	}
}

// put queues a post of that many bytes; false when there is no room.
func (o *outbox) put(bytes int, post func(ctx context.Context)) bool {
	if o.bytes.Add(int64(bytes)) > maxPostBytes {
		o.bytes.Add(-int64(bytes))
		return false
	}
	select {
	case o.posts <- func(ctx context.Context) { defer o.bytes.Add(-int64(bytes)); post(ctx) }:
		return true
	default:
		o.bytes.Add(-int64(bytes))
		return false
	}
}

// rewire asks for the ways of a channel to be looked at again. A channel waits
// once, so that there is room for all.
func (o *outbox) rewire(ch *channel) {
	if ch.rewiring.Swap(true) {
		return
	}
	select {
	case o.wiring <- ch:
	default: // thousands of channels that were left wait too
		ch.rewiring.Store(false)
	}
}

// Post hands a message to the members of a channel like [Plane.Send], but waits
// for nothing: the proof of work and this peer's own pace come after it returns.
// peers is how many members were connected when it was called. It serves
// applications whose messages only announce what members can fetch; when 4096
// messages or 16 MiB wait, it refuses more.
func (p *Plane) Post(ctx context.Context, name ChannelName, message json.RawMessage) (id string, peers int, err error) {
	d, ch, _, err := p.prepare(ctx, name, message)
	if err != nil {
		return "", 0, err
	}
	peers = len(p.members(ch))
	queued := p.outbox.put(len(message)+frameCost, func(ctx context.Context) {
		if _, err := p.dispatch(ctx, ch, d); err != nil && ctx.Err() == nil {
			p.log.Log(ctx, p.detail, "a posted message was not sent", "channel", ch.name, "err", err)
		}
	})
	if !queued {
		return "", 0, fault.New(fault.Limited, "more than %d messages or %d bytes wait to be sent", maxPosts, maxPostBytes).WithHint("send less, or later")
	}
	return d.id, peers, nil
}

// work does what waits until ctx ends; all that it starts has ended when it
// returns.
func (p *Plane) work(ctx context.Context) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(func() { p.sendPosts(ctx) })
	tasks.Go(func() { p.writeLater(ctx) })
	tasks.Go(func() { p.rewire(ctx) })
	tasks.Go(func() { p.heed(ctx) })
	tasks.Go(func() { p.speak(ctx) })
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p.screen.seen.tidy(now)
			p.asked.tidy(now)
			for _, ch := range p.list() {
				p.say(ch)
			}
		}
	}
}

func (p *Plane) sendPosts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case post := <-p.outbox.posts:
			post(ctx)
		}
	}
}

// writeLater writes what waits in the book; at the end, what waits still.
func (p *Plane) writeLater(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			for range len(p.book.pending) {
				p.write(<-p.book.pending)
			}
			return
		case write := <-p.book.pending:
			p.write(write)
		}
	}
}

func (p *Plane) write(write func(*book) error) {
	if err := write(p.book); err != nil {
		p.log.Warn("what was learned of a channel cannot be stored", "err", err)
	}
}

func (p *Plane) rewire(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ch := <-p.outbox.wiring:
			ch.rewiring.Store(false)
			if err := p.attachListed(ch); err != nil {
				p.log.Error("a channel cannot be joined; using it tries again", "channel", ch.name, "err", err)
			}
			p.say(ch)
		}
	}
}
