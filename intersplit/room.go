package intersplit

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"intercom/core/canon"
	"intercom/core/feed"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// feedOf names the feed that holds a channel's ledger.
func feedOf(channel string) feed.FeedID {
	return sha256.Sum256(canon.Preimage("intercom/ledger/room/v1", []byte(channel)))
}

// room is one channel's ledger in memory. It is built from the feed when it is
// first looked at, and follows the feed from then on.
type room struct {
	channel  string
	id       feed.FeedID
	feeds    *feed.Feeds
	channels Channels
	quota    quota

	mu      sync.Mutex
	ledger  *ledger.Ledger // nil until it is first looked at
	rights  *rights        // under which the ledger was built
	changes int            // how many entries were applied, or more
	plans   map[money.Currency]planned

	planning sync.Mutex // one plan is made at a time

	news news
	full atomic.Bool // entries had to be refused since the start
}

// planned is the plan of one currency after so many changes.
type planned struct {
	changes int
	plan    plan.Plan
}

func newRoom(channel string, feeds *feed.Feeds, channels Channels, q quota) *room {
	return &room{channel: channel, id: feedOf(channel), feeds: feeds, channels: channels, quota: q, plans: map[money.Currency]planned{}}
}

// look shows the room's state to read, which is built now if it was not before or
// if others count since. read must not keep it.
func (rm *room) look(read func(l *ledger.Ledger)) error {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	policy := rm.channels.Policy(rm.channel)
	if rm.ledger == nil || !bytes.Equal(policy.terms(), rm.rights.policy.terms()) {
		if err := rm.build(policy); err != nil {
			return err
		}
	}
	read(rm.ledger)
	return nil
}

// follow applies an entry that the feed has stored.
func (rm *room) follow(e *feed.Entry) (ledger.Entry, error) {
	id := e.ID()
	entry := ledgerEntryOf(e, id)
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if rm.ledger == nil {
		return entry, nil // it is in the feed when the room is built
	}
	rm.changes++
	if _, _, ok := rm.rights.revocation(e); ok {
		rm.ledger = nil // it reaches back: what counted may count no more
		return entry, nil
	}
	entry.Body = rm.rights.judge(e, id, entry.Body)
	return entry, rm.ledger.Apply(entry)
}

// ledgerEntry is a feed's entry as the ledger needs it.
func ledgerEntry(e *feed.Entry) ledger.Entry { return ledgerEntryOf(e, e.ID()) }

// ledgerEntryOf saves the hash when it is known.
func ledgerEntryOf(e *feed.Entry, id feed.ID) ledger.Entry {
	entry := ledger.Entry{
		ID: ledger.ID(id), Author: ledger.Author(e.Author), Height: e.Height, TS: e.TS,
		Body: ledger.Decode(e.Body), Parents: make([]ledger.ID, len(e.Parents)),
	}
	for i, p := range e.Parents {
		entry.Parents[i] = ledger.ID(p)
	}
	return entry
}

// statement is the room at this moment, in one currency or, with only nil, in all
// of them. entries picks what it lists.
func (rm *room) statement(only *money.Currency, entries func(*ledger.Ledger) []Entry) (*statement, error) {
	s := &statement{channel: rm.channel}
	var changes int
	err := rm.look(func(l *ledger.Ledger) {
		changes = rm.changes
		s.cleared, s.entries, s.expenses = clearedOf(l), entries(l), l.InEffect()
		if only != nil {
			s.expenses = l.InEffectIn(*only)
		}
		for _, c := range l.Currencies() {
			if only == nil || *only == c {
				s.books = append(s.books, currencyBook{currency: c, total: l.Total(c), balances: l.Balances(c)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range s.books {
		b := &s.books[i]
		if b.plan, err = rm.plan(b.currency, b.balances, changes); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// plan gives the plan of one currency after so many changes. Of many callers one
// makes it and the others wait, since it may take a second's fraction and some
// megabytes; the room is open to others meanwhile.
func (rm *room) plan(c money.Currency, balances []ledger.Balance, changes int) (plan.Plan, error) {
	rm.planning.Lock()
	defer rm.planning.Unlock()
	if p, known := rm.recall(c); known && p.changes == changes {
		return p.plan, nil
	}
	made, err := settle(balances)
	if err == nil {
		rm.remember(c, planned{changes: changes, plan: made})
	}
	return made, err
}

func (rm *room) recall(c money.Currency) (p planned, known bool) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	p, known = rm.plans[c]
	return p, known
}

func (rm *room) remember(c money.Currency, p planned) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if p.changes >= rm.plans[c].changes {
		rm.plans[c] = p
	}
}

func settle(balances []ledger.Balance) (plan.Plan, error) {
	open := make([]plan.Balance, len(balances))
	for i, b := range balances {
		open[i] = plan.Balance{Member: string(b.Member), Amount: b.Amount}
	}
	return plan.Settle(open)
}
