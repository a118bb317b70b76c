package intersplit

import (
	"crypto/sha256"
	"sync"

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
	channel string
	id      feed.FeedID
	feeds   *feed.Feeds

	mu      sync.Mutex
	ledger  *ledger.Ledger // nil until it is first looked at
	changes int            // how many entries were applied
	plans   map[money.Currency]planned

	planning sync.Mutex // one plan is made at a time

	news news
}

// planned is the plan of one currency after so many changes.
type planned struct {
	changes int
	plan    plan.Plan
}

func newRoom(channel string, feeds *feed.Feeds) *room {
	return &room{channel: channel, id: feedOf(channel), feeds: feeds, plans: map[money.Currency]planned{}}
}

// look shows the room's state to read, which is built now if it was not before.
// read must not keep it.
func (rm *room) look(read func(l *ledger.Ledger)) error {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if rm.ledger == nil {
		if err := rm.build(); err != nil {
			return err
		}
	}
	read(rm.ledger)
	return nil
}

// build reads the whole feed. An entry that is stored meanwhile is seen here, or
// waits in follow until the room is built; if both, it counts once.
func (rm *room) build() error {
	l := ledger.New()
	var broken error
	err := rm.feeds.Scan(rm.id, feed.Position{}, func(e *feed.Entry) bool {
		broken = l.Apply(ledgerEntry(e))
		return broken == nil
	})
	if err != nil {
		return err
	}
	if broken != nil {
		return broken
	}
	rm.ledger = l
	return nil
}

// follow applies an entry that the feed has stored.
func (rm *room) follow(e ledger.Entry) error {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if rm.ledger == nil {
		return nil // it is in the feed when the room is built
	}
	rm.changes++
	return rm.ledger.Apply(e)
}

// ledgerEntry is a feed's entry as the ledger needs it.
func ledgerEntry(e *feed.Entry) ledger.Entry {
	entry := ledger.Entry{
		ID: ledger.ID(e.ID()), Author: ledger.Author(e.Author), Height: e.Height, TS: e.TS,
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
		s.cleared, s.entries = clearedOf(l), entries(l)
		for _, c := range l.Currencies() {
			if only == nil || *only == c {
				s.expenses += l.ExpensesIn(c)
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
