package feed

// pull fetches the entries of those spans. While one batch is stored the next one
// is fetched and its signatures are checked.
func (y *syncing) pull(items []span) (err error) {
	var store storing
	defer func() {
		if storeErr := y.stored(&store); err == nil {
			err = storeErr
		}
	}()
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
		last, ready, refused := y.receive(batch, got.raw)
		if err := y.stored(&store); err != nil {
			return err
		}
		store.begin(func() (taken, error) { return y.f.takeChecked(y.c.ctx, y.s, ready) })
		if refused != nil {
			return refused
		}
		if got.more {
			items = behind(items, last)
		} else {
			items = items[len(batch):]
		}
	}
	return nil
}

// receive checks what came for the spans asked for, and tells how far it goes.
// ready is what may be stored, also when the rest is refused.
func (y *syncing) receive(asked []span, raw [][]byte) (last Position, ready []*checked, refused error) {
	for _, r := range raw {
		y.c.entries += int64(len(r))
	}
	all, err := decodeAll(y.feed, raw)
	if err != nil {
		return last, nil, err
	}
	ready, refused = y.f.checkAll(y.c.ctx, all, y.f.checkNew)
	last, err = lastInOrder(asked, ready)
	if err != nil {
		return last, nil, err
	}
	return last, ready, refused
}

// stored waits until the batch under way is stored.
func (y *syncing) stored(store *storing) error {
	t, err := store.wait()
	y.result.Received += t.stored
	y.result.Waiting += t.waiting
	if t.stored > 0 {
		y.progress()
	}
	return err
}

// storing is the storing of one batch at a time beside something else.
type storing struct {
	done chan struct{} // nil while nothing is under way
	t    taken
	err  error
}

func (s *storing) begin(store func() (taken, error)) {
	s.done = make(chan struct{})
	go func() { // whoever begins waits
		defer close(s.done)
		s.t, s.err = store()
	}()
}

func (s *storing) wait() (taken, error) {
	if s.done == nil {
		return taken{}, nil
	}
	<-s.done
	s.done = nil
	return s.t, s.err
}

// lastInOrder checks that what came was asked for, each once and in order, and
// gives the position of the last.
func lastInOrder(asked []span, all []*checked) (last Position, err error) {
	for _, c := range all {
		at := c.at()
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
