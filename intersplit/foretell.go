package intersplit

import (
	"intercom/core/feed"
	"intercom/intersplit/ledger"
)

// foretold is the ledger that the room would have with more entries, which are in
// order. It takes as long as building the room.
func (rm *room) foretold(more []*feed.Entry) (*ledger.Ledger, error) {
	all := rm.scanWith(more)
	rt, err := newRights(rm.channel, rm.channels.Policy(rm.channel), rm.channels, all)
	if err != nil {
		return nil, err
	}
	l := ledger.New()
	var applied error
	err = all(func(e *feed.Entry) bool {
		id := e.ID()
		entry := ledgerEntryOf(e, id)
		entry.Body = rt.judge(e, id, entry.Body)
		applied = l.Apply(entry)
		return applied == nil
	})
	if err == nil {
		err = applied
	}
	return l, err
}

// scanWith visits the room's entries and others in one order.
func (rm *room) scanWith(more []*feed.Entry) scan {
	return func(visit func(e *feed.Entry) bool) error {
		rest, going := more, true
		err := rm.scan(func(e *feed.Entry) bool {
			at := e.Position()
			for going && len(rest) > 0 && rest[0].Position().Compare(at) < 0 {
				going, rest = visit(rest[0]), rest[1:]
			}
			going = going && visit(e)
			return going
		})
		for ; err == nil && going && len(rest) > 0; rest = rest[1:] {
			going = visit(rest[0])
		}
		return err
	}
}
