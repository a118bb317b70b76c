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
)

// FeedOf names the feed that holds a channel's ledger.
func FeedOf(channel string) feed.FeedID {
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

	plans plans

	news news
	full atomic.Bool // entries had to be refused since the start
}

func newRoom(channel string, feeds *feed.Feeds, channels Channels, q quota) *room {
	return &room{channel: channel, id: FeedOf(channel), feeds: feeds, channels: channels, quota: q}
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
	return rm.statementBy(planning{}, only, entries)
}

// statementBy is a statement with a plan of the caller's choice.
func (rm *room) statementBy(mode planning, only *money.Currency, entries func(*ledger.Ledger) []Entry) (*statement, error) {
	s := &statement{channel: rm.channel}
	var drafts []draft
	err := rm.look(func(l *ledger.Ledger) {
		s.cleared, s.entries, s.expenses = clearedOf(l), entries(l), l.InEffect()
		s.conflicts = conflictsOf(l.Disputes())
		if only != nil {
			s.expenses = l.InEffectIn(*only)
		}
		for _, c := range l.Currencies() {
			if only == nil || *only == c {
				s.books = append(s.books, currencyBook{currency: c, total: l.Total(c), balances: l.Balances(c)})
				drafts = append(drafts, rm.draft(l, c, mode))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for i, d := range drafts {
		b := &s.books[i]
		if b.plan, err = rm.plan(d, b.balances); err != nil {
			return nil, err
		}
	}
	return s, nil
}
