package log

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
)

// block is a block in the making: entries carried out one after the other on an
// update. Proposing, judging and executing are this same function, so they
// cannot come to different ends.
type block struct {
	l      *Log
	base   head // that it stands on
	height int64
	time   time.Time
	u      *merkle.Update
	before []bft.Validator
	after  []bft.Validator // nil: unchanged

	head     head
	in       map[feed.ID]facts
	entries  []*item
	outcomes []Outcome
	txs      bft.Hash // of the bytes that it was made of
}

func (l *Log) newBlock(height int64, now time.Time) (*block, error) {
	l.mu.Lock()
	base := l.head
	l.mu.Unlock()
	u, err := l.states().Update()
	if err != nil {
		return nil, err
	}
	before, err := l.machine.Indexers(u)
	if err != nil {
		return nil, err
	}
	b := &block{
		l: l, base: base, height: height, time: now, u: u, before: before,
		head: base, in: make(map[feed.ID]facts),
	}
	b.head.height = height
	return b, nil
}

// unfit says why an entry may not stand where it was put: a rule that everybody
// checks alike.
type unfit struct{ error }

func unfitf(format string, args ...any) error { return unfit{fmt.Errorf(format, args...)} }

// add carries out one more entry, whose own rules and signature hold. An error
// is unfit, and then nothing has changed, or one of the disk.
func (b *block) add(it *item) error {
	if err := b.fits(it); err != nil {
		return err
	}
	if err := b.l.machine.Admit(b.u, it.Entry); err != nil {
		return unfit{err}
	}
	outcome, err := b.l.machine.Apply(b.u, it.Entry, uint64(b.height))
	if err != nil {
		return err
	}
	f := it.facts(b.height)
	b.in[it.at.ID] = f
	b.entries = append(b.entries, it)
	b.outcomes = append(b.outcomes, outcome)
	b.head.append(it.at.ID, f)
	return nil
}

// fits checks an entry against what is confirmed: once only, behind its
// parents, linked to them as the feed's rules say, and not dated ahead of the
// chain's clock.
func (b *block) fits(it *item) error {
	switch _, known, err := b.find(it.at.ID); {
	case err != nil:
		return err
	case known:
		return unfitf("entry %s is confirmed already", it.at.ID)
	case it.Feed != b.l.feed || len(it.Parents) == 0:
		return unfitf("entry %s is not of this subnet", it.at.ID)
	case it.TS > b.time.Add(feed.Ahead).UnixMilli():
		return unfitf("entry %s is dated ahead", it.at.ID)
	}
	var greatest uint64
	for i, id := range it.Parents {
		parent, ok, err := b.find(id)
		switch {
		case err != nil:
			return err
		case !ok:
			return unfitf("entry %s comes before its parent %s", it.at.ID, id)
		case i == 0 && it.Seq > 0 && (parent.author != it.Author || parent.seq != it.Seq-1):
			return unfitf("entry %s does not follow its author's", it.at.ID)
		}
		greatest = max(greatest, parent.height)
	}
	if it.Height != greatest+1 {
		return unfitf("entry %s has height %d behind %d", it.at.ID, it.Height, greatest)
	}
	return nil
}

// find looks among what is confirmed and what stands in the block before.
func (b *block) find(id feed.ID) (facts, bool, error) {
	if f, ok := b.in[id]; ok {
		return f, true, nil
	}
	return b.l.facts(id)
}

// finish closes a block of so many transactions.
func (b *block) finish(txs int, guilty []identity.PublicKey) (err error) {
	if len(guilty) > 0 {
		if err := b.l.machine.Guilty(b.u, guilty, uint64(b.height)); err != nil {
			return err
		}
	}
	if txs == 0 && len(guilty) == 0 {
		return nil
	}
	b.head.blocks++
	b.u.Set(leafKey, b.head.leaf())
	root, err := b.u.Root()
	if err != nil {
		return err
	}
	b.head.root = bft.Hash(root)
	after, err := b.l.machine.Indexers(b.u)
	if err == nil && !slices.Equal(b.before, after) {
		b.after = after
	}
	return err
}

// sum names the bytes of a block, to know it again.
func sum(txs [][]byte) bft.Hash {
	h := sha256.New()
	for _, tx := range txs {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tx))))
		h.Write(tx)
	}
	return bft.Hash(h.Sum(nil))
}
