package log

import (
	"context"
	"errors"
	"fmt"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// codeUnfit is the result of a transaction that is no entry, or not one for its
// place. No honest indexer votes for one.
const codeUnfit = 1 << 31

var (
	_ bft.Application = (*Log)(nil)
	_ bft.Pool        = (*Log)(nil)
	_ bft.Judge       = (*Log)(nil)
)

// Confirmed is a block that is confirmed here.
type Confirmed struct {
	Height   int64
	Entries  []*feed.Entry
	Outcomes []Outcome // one for each entry
}

// OnConfirmed has fn called with every block of entries from now on, in order.
// The engine waits for fn, which must be quick.
func (l *Log) OnConfirmed(fn func(Confirmed)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.confirmed = append(l.confirmed, fn)
}

// Last tells where the confirmed state stands.
func (l *Log) Last() (int64, bft.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head.height, l.head.root, nil
}

// Init answers with the state of the first entry, which Open has made; the
// validators of the genesis must be the ones that the state wants.
func (l *Log) Init(g bft.Genesis) (bft.Hash, error) {
	state, err := l.states().Last()
	if err != nil {
		return bft.Hash{}, err
	}
	want, err := l.machine.Indexers(state)
	if err != nil {
		return bft.Hash{}, err
	}
	if !sameSet(want, g.Validators) {
		return bft.Hash{}, fault.New(fault.Conflict, "the genesis of %q has other validators than the subnet's first entry", g.ChainID).
			WithHint("this genesis is not this subnet's")
	}
	return bft.Hash(state.Root()), nil
}

func sameSet(a, b []bft.Validator) bool {
	power := make(map[identity.PublicKey]int64, len(a))
	for _, v := range a {
		power[v.Key] = v.Power
	}
	for _, v := range b {
		if power[v.Key] != v.Power {
			return false
		}
	}
	return len(a) == len(b) && len(power) == len(a)
}

// Execute carries out a block that is decided. Its entries go into the feed
// first, so that the feed has whatever is confirmed.
func (l *Log) Execute(p bft.Proposal) (bft.Executed, error) {
	if err := l.failure(); err != nil {
		return bft.Executed{}, err
	}
	b, results, err := l.carriedOut(p)
	if err != nil {
		return bft.Executed{}, err
	}
	if err := l.keep(b); err != nil {
		return bft.Executed{}, err
	}
	if err := b.finish(len(p.Txs), p.Guilty); err != nil {
		return bft.Executed{}, err
	}
	l.prepared, l.executed = nil, b
	return bft.Executed{Results: results, State: b.head.root, Validators: b.after}, nil
}

// carriedOut gives the block with its entries carried out, which may have
// happened when it was proposed or judged.
func (l *Log) carriedOut(p bft.Proposal) (*block, []bft.Result, error) {
	results := make([]bft.Result, len(p.Txs))
	if b := l.ready(p); b != nil {
		for i, outcome := range b.outcomes {
			results[i].Code = outcome.Code
		}
		return b, results, nil
	}
	b, err := l.newBlock(p.Height, p.Time)
	if err != nil {
		return nil, nil, err
	}
	l.hand(p)
	return b, results, b.carryOut(l.read(p.Txs), results)
}

// carryOut executes entries; those that do not fit get a code and change nothing.
func (b *block) carryOut(items []*item, results []bft.Result) error {
	for i, it := range items {
		results[i].Code = codeUnfit
		if it == nil {
			continue
		}
		err := b.add(it)
		if errors.As(err, new(unfit)) {
			continue
		}
		if err != nil {
			return err
		}
		results[i].Code = b.outcomes[len(b.outcomes)-1].Code
	}
	return nil
}

// hand gives a decided block's entries to the feed before they are carried out:
// it verifies them on all cores, and what it has need not be verified again. What
// it refuses is seen to one by one afterwards.
func (l *Log) hand(p bft.Proposal) {
	entries := make([]*feed.Entry, 0, len(p.Txs))
	for _, tx := range p.Txs {
		if e, err := feed.Decode(tx); err == nil {
			entries = append(entries, e)
		}
	}
	if err := l.add(entries, p.Time); err != nil {
		l.logger.Debug("the feed refuses an entry of a block", "height", p.Height, "error", err)
	}
}

// keep makes sure that the feed has the block's entries.
func (l *Log) keep(b *block) error {
	entries := make([]*feed.Entry, len(b.entries))
	for i, it := range b.entries {
		entries[i] = it.Entry
	}
	if err := l.add(entries, b.time); err != nil {
		return fault.New(fault.Internal, "block %d: %w", b.height, err).WithHint("look at the peer's log, and report it")
	}
	return nil
}

// add gives the feed those of the entries that it has not got. The gate lets
// them pass: more than 2/3 of the indexers have.
func (l *Log) add(entries []*feed.Entry, now time.Time) error {
	var fresh []*feed.Entry
	expected := make(map[feed.ID]bool)
	l.mu.Lock()
	for _, e := range entries {
		if id := e.ID(); l.tail.byID[id] == nil {
			fresh = append(fresh, e)
			expected[id] = true
		}
	}
	l.expected = expected
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.expected = nil
		l.mu.Unlock()
	}()
	outcomes, err := l.feeds.AddAll(context.Background(), fresh, identity.PublicKey{}, now)
	if err != nil {
		return err
	}
	for i, outcome := range outcomes {
		if outcome != feed.Stored && outcome != feed.Known {
			return fmt.Errorf("confirmed entry %s is %s in the feed", fresh[i].ID(), outcome)
		}
	}
	return nil
}

// Commit makes what was executed the confirmed state.
func (l *Log) Commit() error {
	b := l.executed
	if b == nil {
		return fault.New(fault.Internal, "a commit without a block")
	}
	l.executed = nil
	if err := l.write(b); err != nil {
		return err
	}
	l.mu.Lock()
	l.head = b.head
	if len(b.entries) > 0 {
		l.tail.remove(b.in)
		l.barren = 0
	}
	l.age++
	wake, more, told := l.pending, len(l.tail.list) > 0, l.confirmed
	l.mu.Unlock()
	if more && wake != nil {
		wake()
	}
	if len(b.entries) == 0 {
		return nil
	}
	news := Confirmed{Height: b.height, Outcomes: b.outcomes}
	for _, it := range b.entries {
		news.Entries = append(news.Entries, it.Entry)
	}
	for _, fn := range told {
		fn(news)
	}
	return nil
}

// write puts state, index and head into one batch. The engine's own record of
// the block comes before it in the same store.
func (l *Log) write(b *block) error {
	batch := l.at().space.Batch()
	b.head.version++
	if _, err := b.u.Write(batch, b.head.version); err != nil {
		return err
	}
	index(batch, b.height, b.base.count, b.entries)
	batch.Set([]byte{keyHead}, b.head.encode())
	return batch.Apply()
}
