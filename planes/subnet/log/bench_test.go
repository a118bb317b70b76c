package log_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/planes/subnet/log"
)

// wide makes n entries of one author, each with a key of its own and 100 bytes.
func wide(n int, first *feed.Entry) []*feed.Entry {
	entries := make([]*feed.Entry, n)
	last := first
	filler := strings.Repeat("v", 92)
	for i := range entries {
		last = on(0, fmt.Sprintf("put key%07d %s%08d", i, filler, i), last)
		entries[i] = last
	}
	return entries
}

// BenchmarkApply tells how many entries per second a follower carries out: it
// verifies, stores and applies them, in blocks of 1 000.
func BenchmarkApply(b *testing.B) {
	const size = 1000
	first := firstEntry("0")
	entries := wide(20*size, first)
	var blocks []bft.Proposal
	c := &chain{t: b}
	for part := range slices.Chunk(entries, size) {
		p := c.next()
		for _, e := range part {
			p.Txs = append(p.Txs, e.Encode())
		}
		c.blocks = append(c.blocks, p)
	}
	blocks = c.blocks
	var spent time.Duration
	for b.Loop() {
		p := newPeer(b, 0, first)
		began := time.Now()
		for _, block := range blocks {
			if _, err := execute(p, block); err != nil {
				b.Fatal(err)
			}
		}
		spent += time.Since(began)
		_ = p.store.Close()
	}
	b.ReportMetric(float64(b.N*len(entries))/spent.Seconds(), "entries/s")
}

// BenchmarkReorder tells what it costs when an entry comes that stands before a
// tail of 1 000.
func BenchmarkReorder(b *testing.B) {
	first := firstEntry("0")
	p := newPeer(b, 0, first)
	p.add(wide(1000, first)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.log.Overlay(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConfirm tells how long an entry takes from its author's append until it
// is confirmed there, with the engine's own time for the same beside it.
func BenchmarkConfirm(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("indexers=%d", n), func(b *testing.B) {
			sites := subnetOf(b, n)
			done := make(chan feed.ID, 16)
			sites[0].log.OnConfirmed(func(c log.Confirmed) {
				for _, e := range c.Entries {
					done <- e.ID()
				}
			})
			var each []time.Duration
			for i := 0; i < 100; i++ {
				began := time.Now()
				e, err := sites[0].feeds.Append(context.Background(), subnet, author(0), fmt.Append(nil, "put k ", i), began)
				if err != nil {
					b.Fatal(err)
				}
				for id := range done {
					if id == e.ID() {
						break
					}
				}
				each = append(each, time.Since(began))
				sites[0].settled()
			}
			slices.Sort(each)
			b.ReportMetric(float64(each[50].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(each[95].Microseconds())/1000, "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
