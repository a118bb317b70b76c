package intersplit

import (
	"sync"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// changed is the data of the event "expense_changed": one entry, or how many
// when a great many came at once.
type changed struct {
	Channel string `json:"channel"`
	ID      string `json:"id,omitempty"`
	Kind    string `json:"kind,omitempty"`
	By      string `json:"by,omitempty"`
	Entries int    `json:"entries,omitempty"`
}

// progress is the data of the event "expense_sync": how far a long exchange is.
type progress struct {
	Channel string `json:"channel"`
	Peer    string `json:"peer"`           // whom it is with
	Have    uint64 `json:"have"`           // entries that this peer has now
	Theirs  uint64 `json:"theirs"`         // entries that the other had, 0 when it is not known
	Sent    int    `json:"sent"`           // entries that the other took
	Done    bool   `json:"done,omitempty"` // the exchange has ended
}

// disagreement is the data of the event "expense_conflict": a member with whom no
// entries are exchanged, since the two hold others to count.
type disagreement struct {
	Channel string `json:"channel"`
	Peer    string `json:"peer"`
	Reason  string `json:"reason"`
}

// How changes are told. Too many events push older ones out of the hub's ring;
// too few leave a reader without the names of what changed.
const (
	toldSingly = 20          // of what comes at once; then their number
	toldEvery  = time.Second // while a long exchange runs
)

// news is what a room has to tell its readers.
type news struct {
	mu        sync.Mutex
	gathering int // exchanges and batches that run
	singly    int // entries told since the last gathering began, or was told
	untold    int // entries that wait to be told by their number
}

// tell publishes that an entry is stored.
func (r *Rooms) tell(rm *room, e *ledger.Entry) {
	n := &rm.news
	n.mu.Lock()
	wait := n.gathering > 0 && n.singly >= toldSingly
	if wait {
		n.untold++
	} else if n.gathering > 0 {
		n.singly++
	}
	n.mu.Unlock()
	if !wait {
		r.hub.Publish("expense_changed", changed{
			Channel: rm.channel, ID: idText(e.ID), Kind: string(e.Body.Kind), By: identity.PublicKey(e.Author).Address(),
		})
	}
}

// gather has many entries that come at once told by their number; what waits is
// told when done is called, which must happen.
func (r *Rooms) gather(rm *room) (done func()) {
	n := &rm.news
	n.mu.Lock()
	n.gathering++
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		n.gathering--
		n.mu.Unlock()
		r.tellGathered(rm)
	}
}

// tellGathered publishes what waits to be told.
func (r *Rooms) tellGathered(rm *room) {
	n := &rm.news
	n.mu.Lock()
	entries := n.untold
	n.untold, n.singly = 0, 0
	n.mu.Unlock()
	if entries > 0 {
		r.hub.Publish("expense_changed", changed{Channel: rm.channel, Entries: entries})
	}
}

// reporter tells the progress of one exchange, once it takes long. It belongs to
// the goroutine of the exchange.
type reporter struct {
	rooms  *Rooms
	peer   identity.PublicKey
	room   *room // whose exchange it is; nil until it is known
	done   func()
	last   time.Time // when progress was told, or the exchange began
	so     feed.Progress
	spoken bool
}

func (r *Rooms) reporter(peer identity.PublicKey) *reporter {
	return &reporter{rooms: r, peer: peer, last: r.now()}
}

// begin tells whose exchange it is.
func (p *reporter) begin(rm *room) {
	if p.room == nil {
		p.room, p.done = rm, p.rooms.gather(rm)
	}
}

// tell takes what the exchange says of itself.
func (p *reporter) tell(so feed.Progress) {
	p.so = so
	if now := p.rooms.now(); now.Sub(p.last) >= toldEvery {
		p.last, p.spoken = now, true
		p.publish(false)
	}
}

// end must be called when the exchange is over.
func (p *reporter) end() {
	if p.room == nil {
		return
	}
	p.done()
	if p.spoken {
		p.publish(true)
	}
}

func (p *reporter) publish(done bool) {
	p.rooms.tellGathered(p.room)
	have, err := p.rooms.feeds.Count(p.room.id)
	if err != nil {
		return // the store is closed or broken: whoever works on it says so
	}
	p.rooms.hub.Publish("expense_sync", progress{
		Channel: p.room.channel, Peer: p.peer.String(), Have: have, Theirs: p.so.Theirs, Sent: p.so.Sent, Done: done,
	})
}
