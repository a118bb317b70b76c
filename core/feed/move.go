package feed

// pull fetches the entries of those spans.
func (y *syncing) pull(items []span) error {
	for len(items) > 0 && !y.full() {
		batch := items[:min(len(items), maxSpans)]
		reply, err := y.ask(get{batch})
		if err != nil {
			return err
		}
		got, ok := reply.(entries)
		if !ok || got.more && len(got.raw) == 0 {
			return broke("a message of kind %d for entries", reply.kind())
		}
		last, err := y.receive(batch, got.raw)
		if err != nil {
			return err
		}
		if got.more {
			items = behind(items, last)
		} else {
			items = items[len(batch):]
		}
	}
	return nil
}

// receive stores what came for the spans asked for, and tells how far it goes.
func (y *syncing) receive(asked []span, raw [][]byte) (last Position, err error) {
	for _, r := range raw {
		y.c.entries += int64(len(r))
	}
	all, err := decodeAll(y.feed, raw)
	if err != nil {
		return last, err
	}
	if last, err = lastInOrder(asked, all); err != nil {
		return last, err
	}
	t, err := y.f.take(y.c.ctx, y.s, all)
	y.result.Received += t.stored
	y.result.Waiting += t.waiting
	y.progress()
	return last, err
}

// lastInOrder checks that what came was asked for, each once and in order, and
// gives the position of the last.
func lastInOrder(asked []span, all []*Entry) (last Position, err error) {
	for _, e := range all {
		at := e.Position()
		for len(asked) > 0 && at.Compare(asked[0].hi) >= 0 {
			asked = asked[1:]
		}
		if len(asked) == 0 || !asked[0].contains(at) || at.Compare(last) <= 0 {
			return last, broke("an entry that was not asked for")
		}
		last = at
	}
	return last, nil
}

// behind is what of the spans lies behind a position.
func behind(items []span, at Position) []span {
	for len(items) > 0 && items[0].hi.Compare(at.next()) <= 0 {
		items = items[1:]
	}
	if len(items) == 0 || items[0].lo.Compare(at) > 0 {
		return items
	}
	return append([]span{{at.next(), items[0].hi}}, items[1:]...)
}

// push sends the entries of those spans.
func (y *syncing) push(items []span) error {
	for len(items) > 0 && !y.full() {
		raw, more, err := y.f.page(y.feed, items)
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			return nil
		}
		for _, r := range raw {
			y.c.entries += int64(len(r))
		}
		reply, err := y.ask(put{raw})
		if err != nil {
			return err
		}
		got, ok := reply.(ack)
		if !ok || got.stored > uint64(len(raw)) {
			return broke("a message of kind %d for an acknowledgement", reply.kind())
		}
		y.result.Sent += int(got.stored)
		y.progress()
		if !more {
			return nil
		}
		last, err := Decode(raw[len(raw)-1])
		if err != nil {
			return damaged("entry", y.feed)
		}
		items = behind(items, last.Position())
	}
	return nil
}
