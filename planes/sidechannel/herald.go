package sidechannel

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"intercom/core/identity"
)

// What members tell each other. Whoever belongs to a channel and knows its
// owner's welcome, revocations, or has an invite to show, says so when a
// neighbour comes, when it learns something new, and once a minute. It speaks
// for itself, so that nothing of this is passed on and still everybody learns it.
const (
	breath        = 200 * time.Millisecond // before it speaks: several occasions are one
	rest          = 2 * time.Second        // between two times on one channel
	maxWords      = 1024
	revokesAtOnce = 100
)

// word is a control that passed the checks.
type word struct {
	ch     *channel
	author identity.PublicKey
	said   *control
}

// say makes a channel speak soon. It never blocks.
func (p *Plane) say(ch *channel) {
	if ch.name == Entry || ch.speaking.Swap(true) {
		return
	}
	select {
	case p.outbox.heralds <- ch:
	default:
		ch.speaking.Store(false)
	}
}

// speak makes channels speak when they have waited for a breath, until ctx ends.
func (p *Plane) speak(ctx context.Context) {
	due := map[*channel]time.Time{}
	spoke := map[*channel]time.Time{}
	tick := time.NewTicker(breath / 4)
	tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case ch := <-p.outbox.heralds:
			if len(due) == 0 {
				tick.Reset(breath / 4)
			}
			at := time.Now().Add(breath/2 + rand.N(breath))
			if earliest := spoke[ch].Add(rest); at.Before(earliest) {
				at = earliest
			}
			due[ch] = at
		case now := <-tick.C:
			for ch, at := range due {
				if now.Before(at) {
					continue
				}
				delete(due, ch)
				ch.speaking.Store(false)
				spoke[ch] = now
				p.recite(ch, now)
			}
			if len(due) == 0 {
				tick.Stop()
				for ch, at := range spoke {
					if now.Sub(at) > rest {
						delete(spoke, ch)
					}
				}
			}
		}
	}
}

// recite queues what there is to say on a channel.
func (p *Plane) recite(ch *channel, now time.Time) {
	if ch.gone.Load() || len(p.members(ch)) == 0 || !ch.law.mayRead(p.signer.PublicKey(), now) {
		return
	}
	if ticket := ch.law.Ticket(); ticket != nil {
		p.utter(ch, &control{kind: controlAuth, invite: ticket})
	}
	if w, _ := ch.law.welcomed(now); w != nil {
		p.utter(ch, &control{kind: controlWelcome, welcome: w})
	}
	if ch.law.open() {
		return
	}
	for some := range slices.Chunk(ch.law.Revocations(), revokesAtOnce) {
		p.utter(ch, &control{kind: controlRevoke, revocations: some})
	}
}

// utter queues one control.
func (p *Plane) utter(ch *channel, c *control) {
	message := c.encode()
	p.outbox.put(len(message)+frameCost, func(ctx context.Context) {
		if err := p.control(ctx, ch, message); err != nil && ctx.Err() == nil {
			p.log.Log(ctx, p.detail, "a control was not sent", "channel", ch.name, "control", c.kind, "err", err)
		}
	})
}

// control sends a control now.
func (p *Plane) control(ctx context.Context, ch *channel, message []byte) error {
	d, err := draftOf(p.signer.PublicKey(), ch.quoted, message, time.Now())
	if err != nil {
		return err
	}
	_, err = p.dispatch(ctx, ch, d)
	return err
}

// heed acts on what others say, until ctx ends.
func (p *Plane) heed(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-p.words:
			p.heedWord(ctx, w, time.Now())
		}
	}
}

func (p *Plane) heedWord(ctx context.Context, w word, now time.Time) {
	news := false
	switch w.said.kind {
	case controlWelcome:
		var err error
		if news, err = w.ch.law.offer(w.said.welcome, now, false); err != nil {
			p.log.Log(ctx, p.detail, "a welcome does not count", "channel", w.ch.name, "from", w.author, "err", err)
		}
	case controlRevoke:
		news = w.ch.law.Revoke(w.said.revocations, now)
	case controlOpen:
		p.requested(ctx, w, now)
	}
	if news {
		p.say(w.ch)
	}
}
