package sidechannel

import (
	"encoding/binary"
	"fmt"
	"slices"

	"intercom/core/store"
)

// seqsPerRun is how many messages a channel may number in one run. Numbers of
// different runs never meet, so that a reader's place in an earlier run is
// known to be one; the sum stays a whole number in JavaScript for nine million
// runs.
const seqsPerRun = 1_000_000_000

var (
	runKey       = []byte("run")
	channelsFrom = []byte("channel/")
	channelsTo   = []byte("channel0") // behind every key that begins with channelsFrom
)

// book is what survives a restart: which channels clients joined, what was
// learned of them (see record), who is blocked, and how often the plane was made
// on this store.
type book struct {
	space   *store.Space
	run     uint64        // 1 on a fresh store
	joined  []ChannelName // as found at the start
	pending chan func(*book) error
}

func openBook(space *store.Space) (*book, error) {
	b := &book{space: space, run: 1, pending: make(chan func(*book) error, laterPending)}
	raw, ok, err := space.Get(runKey)
	if err != nil {
		return nil, err
	}
	if ok && len(raw) != 8 {
		return nil, fmt.Errorf("the store's run counter has %d bytes, not 8", len(raw))
	}
	if ok {
		b.run = binary.BigEndian.Uint64(raw) + 1
	}
	var damaged error
	err = space.Scan(channelsFrom, channelsTo, func(key, _ []byte) bool {
		name, err := ParseChannelName(string(key[len(channelsFrom):]))
		if err != nil {
			damaged = fmt.Errorf("the store lists a channel that cannot be: %w", err)
			return false
		}
		b.joined = append(b.joined, name)
		return true
	})
	if err == nil {
		err = damaged
	}
	if err != nil {
		return nil, err
	}
	batch := space.Batch()
	batch.Set(runKey, binary.BigEndian.AppendUint64(nil, b.run))
	return b, batch.Commit()
}

func (b *book) firstSeq() uint64 { return (b.run-1)*seqsPerRun + 1 }

func (b *book) add(name ChannelName) error { return b.set(key(name), nil) }

func (b *book) remove(name ChannelName) error {
	batch := b.space.Batch()
	batch.Delete(key(name))
	return batch.Commit()
}

func key(name ChannelName) []byte { return append(slices.Clone(channelsFrom), name...) }
