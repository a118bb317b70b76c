package log

import (
	"intercom/core/fault"
	"intercom/core/feed"
)

// gate decides what the feed stores: the entries that a block brought, and
// those for which the confirmed state has a place and the tail has room. What is
// refused for now was not stored by any honest peer either, or stands in a
// block that this peer will come to.
func (l *Log) gate(e *feed.Entry, _ feed.Size) error {
	if e.Feed != l.feed {
		return nil
	}
	if len(e.Parents) == 0 {
		return l.gateFirst(e)
	}
	id := e.ID()
	l.mu.Lock()
	expected, full := l.expected[id], l.tail.full(e.Author)
	l.mu.Unlock()
	if expected {
		return nil
	}
	if full {
		return fault.New(fault.Limited, "%d entries of %s wait to be confirmed", MaxUnconfirmed, e.Author).
			WithHint("send again when some of them are")
	}
	return l.admits(e)
}

// gateFirst admits the one entry that everything else is built on.
func (l *Log) gateFirst(e *feed.Entry) error {
	if id := e.ID(); id != l.first.at.ID {
		return fault.New(fault.Invalid, "entry %s builds on nothing, but the subnet begins with %s", id, l.first.at.ID).
			WithHint("whoever sent it is in another subnet, or its bootstrap key made two: drop it")
	}
	return nil
}

// admits asks the machine about the confirmed state.
func (l *Log) admits(e *feed.Entry) error {
	state, err := l.states().Last()
	if err != nil {
		return err
	}
	err = l.machine.Admit(state, e)
	if err == nil || fault.KindOf(err) == fault.Invalid {
		return err
	}
	return fault.New(fault.Limited, "an entry of %s has no place yet: %w", e.Author, err).
		WithHint("%s", fault.Of(err).Hint)
}
