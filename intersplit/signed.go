package intersplit

import (
	"context"
	"encoding/base64"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/intersplit/ledger"
)

// A room is carried whole, as JSON export, snapshot file or otherwise, in one form:
// a list of all its signed entries, each the base64 of [feed.Entry.Encode], in
// order of (height, id), so parents first. Whoever has the list can check it like
// what comes from the network, and has the room: its history, names and rules too.

// eachSigned visits the room's signed entries in their order, until visit answers
// false.
func (rm *room) eachSigned(visit func(at feed.Position, text string) (more bool)) error {
	return rm.feeds.ScanEncoded(rm.id, feed.Position{}, func(at feed.Position, raw []byte) bool {
		return visit(at, base64.StdEncoding.EncodeToString(raw))
	})
}

// signedIn gives the signed entries that a ledger of the room was built from.
func (rm *room) signedIn(l *ledger.Ledger) ([]string, error) {
	texts := make([]string, 0, l.Len())
	err := rm.eachSigned(func(at feed.Position, text string) bool {
		if _, here := l.ByID(ledger.ID(at.ID)); here { // else it is on its way into the ledger
			texts = append(texts, text)
		}
		return true
	})
	return texts, err
}

// merger is signed entries that were checked and found fit to enter a room.
type merger struct {
	room     *room
	entries  []*feed.Entry
	foreseen *feed.Foreseen
}

// merger checks signed entries against the room: that each is of its feed, in its
// place, signed by its author, behind parents that are here or before it in the
// list, and that all of them have room. One that is not is named, and refuses the
// whole list. Nothing is changed. Whose entries count is not asked: as in a sync,
// those of authors without a right are kept.
func (r *Rooms) merger(ctx context.Context, rm *room, texts []string) (*merger, error) {
	m := &merger{room: rm}
	for i, text := range texts {
		e, err := readSigned(rm, text)
		if err != nil {
			return nil, atSigned(i, nil, err)
		}
		if i > 0 && e.Position().Compare(m.entries[i-1].Position()) <= 0 {
			return nil, atSigned(i, e, fault.New(fault.Invalid, "it does not stand behind the one before it in order of height and id"))
		}
		m.entries = append(m.entries, e)
	}
	var err error
	if m.foreseen, err = r.feeds.Foresee(ctx, m.entries, r.now()); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		i := len(m.foreseen.Outcomes)
		return nil, atSigned(i, m.entries[i], err)
	}
	return m, r.fits(m)
}

func readSigned(rm *room, text string) (*feed.Entry, error) {
	if len(text) > maxEncoded {
		return nil, fault.New(fault.Invalid, "%d characters, and an entry has at most %d", len(text), maxEncoded)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "it is no base64")
	}
	e, err := feed.Decode(raw)
	if err == nil && e.Feed != rm.id {
		err = fault.New(fault.Invalid, "it is of another room than channel %q", rm.channel)
	}
	return e, err
}

// fits refuses what has no parent, no time or no room here.
func (r *Rooms) fits(m *merger) error {
	size, err := m.room.size()
	if err != nil {
		return err
	}
	for i, outcome := range m.foreseen.Outcomes {
		e := m.entries[i]
		switch {
		case outcome == feed.Known:
			continue
		case outcome == feed.Parked:
			return atSigned(i, e, fault.New(fault.Invalid, "an entry that it builds on is missing"))
		case outcome == feed.Held:
			return atSigned(i, e, fault.New(fault.Unavailable, "it is dated %s, which is ahead of this peer's clock", isoTime(e.TS)).
				WithHint("set the clock of this machine, or try again when it is due"))
		case e.Seq >= maxSeq:
			return atSigned(i, e, r.spent(e.Author))
		case r.quota.over(size):
			return atSigned(i, e, r.quota.full(m.room, size))
		}
		size.Entries, size.Bytes = size.Entries+1, size.Bytes+uint64(len(e.Encode()))
	}
	return nil
}

// atSigned says which entry of a list is refused. The hint of a broken one is
// about the list, not about whoever sent it.
func atSigned(i int, e *feed.Entry, err error) error {
	f, which := fault.Of(err), ""
	if f.Kind == fault.Internal {
		return err // it is about the store
	}
	if e != nil {
		which = " (" + e.ID().String() + ")"
	}
	hint := f.Hint
	if f.Kind == fault.Invalid {
		hint = "the list was changed since it was written: export the room again, or sync with a member"
	}
	return fault.New(f.Kind, "signed entry %d%s: %s", i+1, which, f.Message).WithHint("%s", hint)
}

// fresh gives the entries that the room lacks.
func (m *merger) fresh() []*feed.Entry {
	var fresh []*feed.Entry
	for i, outcome := range m.foreseen.Outcomes {
		if outcome == feed.Stored {
			fresh = append(fresh, m.entries[i])
		}
	}
	return fresh
}

// merge stores the entries, which are on the disk when it returns, and says how
// many the room did not have. After an error, which now only the disk, the end of
// ctx or a room that others have filled meanwhile can make, the first of them may
// be there: merging again brings the rest.
func (r *Rooms) merge(ctx context.Context, m *merger) (added int, err error) {
	defer r.gather(m.room)()
	outcomes, err := r.feeds.AddForeseen(ctx, m.foreseen, r.signer.PublicKey(), r.now())
	for _, outcome := range outcomes {
		if outcome == feed.Stored {
			added++
		}
	}
	return added, err
}
