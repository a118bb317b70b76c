package sidechannel

import (
	"context"
	"slices"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

const (
	maxRequests   = 256            // that wait for this peer's user; the oldest makes room
	requestLife   = 24 * time.Hour // then one is forgotten
	maxAutoJoined = 64             // channels that others made this peer join in one run (W60)
)

// request is an open_channel of another peer.
type request struct {
	channel ChannelName
	from    identity.PublicKey
	at      time.Time
	welcome *Welcome // verified when the owner is known; nil: none came
}

// requests are the pending ones, one of each channel, oldest first.
type requests struct {
	mu     sync.Mutex
	list   []request
	joined int // on request of others
}

func newRequests() *requests { return &requests{} }

func (r *requests) add(q request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(old request) bool { return old.channel == q.channel })
	if len(r.list) >= maxRequests {
		r.list = r.list[1:]
	}
	r.list = append(r.list, q)
}

// take removes the request of a channel, if there is one.
func (r *requests) take(name ChannelName) (q request, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.list, func(q request) bool { return q.channel == name })
	if i < 0 {
		return request{}, false
	}
	q = r.list[i]
	r.list = slices.Delete(r.list, i, i+1)
	return q, true
}

func (r *requests) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func (r *requests) tidy(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(q request) bool { return now.Sub(q.at) > requestLife })
}

// mayJoin counts one more channel that is joined on request.
func (r *requests) mayJoin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.joined >= maxAutoJoined {
		return false
	}
	r.joined++
	return true
}

// requested decides about an open_channel (upstream 6.3, step 10): refuse it,
// join at once, or leave it to the user.
func (p *Plane) requested(ctx context.Context, w word, now time.Time) {
	if p.policy.NoRemoteOpen || p.find(w.said.channel) != nil {
		return
	}
	name := w.said.channel
	if err := p.consider(w, now); err != nil {
		p.log.Log(ctx, p.detail, "a request to open a channel does not count", "channel", name, "from", w.author, "err", err)
		return
	}
	q := request{channel: name, from: w.author, at: now, welcome: w.said.welcome}
	if !p.policy.AutoJoin || !p.asked.mayJoin() {
		p.asked.add(q)
		p.log.Info("channel request received", "channel", name, "from", w.author)
		return
	}
	if _, err := p.follow(ctx, q, false); err != nil {
		p.log.Warn("a channel was asked for and cannot be joined", "channel", name, "from", w.author, "err", err)
		return
	}
	p.log.Info("auto-joined channel", "channel", name, "from", w.author)
}

// consider tells why a request does not count. It learns nothing: whoever asks
// for many channels fills no store.
func (p *Plane) consider(w word, now time.Time) error {
	name := w.said.channel
	p.mu.RLock()
	law := p.laws[name]
	p.mu.RUnlock()
	if law == nil {
		law = newCharter(name, p.signer.PublicKey(), p.policy, p.book, record{})
	}
	owner := law.ownerIs()
	switch {
	case w.said.welcome != nil && !owner.IsZero():
		if err := w.said.welcome.Verify(name, owner, now); err != nil {
			return err
		}
	case w.said.welcome == nil && law.deaf(now):
		return fault.New(fault.Denied, "it brings no welcome")
	}
	if law.open() || law.Inviter(w.author) {
		return nil
	}
	v, err := ParseInvite(w.said.invite)
	if err != nil {
		return err
	}
	if !law.Inviter(v.Inviter) {
		return fault.New(fault.Denied, "the invite is by no inviter")
	}
	return v.Verify(name, w.author, now)
}

// follow joins the channel of a request, under the law that is known of it. adopt
// believes its welcome where no owner is known, as the user may.
func (p *Plane) follow(ctx context.Context, q request, adopt bool) (joined bool, err error) {
	law, err := p.law(q.channel)
	if err != nil {
		return false, err
	}
	if q.welcome != nil {
		if _, err := law.offer(q.welcome, time.Now(), adopt); err != nil {
			p.log.Log(ctx, p.detail, "a welcome does not count", "channel", q.channel, "from", q.from, "err", err)
		}
	}
	return p.Join(ctx, q.channel)
}
