package feed_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// onDisk opens feeds in a real directory.
func onDisk(b *testing.B) *feed.Feeds {
	b.Helper()
	s, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return open(b, s)
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			f, who, body := onDisk(b), author(1), make([]byte, 200)
			b.SetParallelism((callers + 1) / 2) // times two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := f.Append(context.Background(), room, who, body, time.Now()); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkVerifyAlone(b *testing.B) {
	who := author(1)
	message := make([]byte, 400)
	key, sig := who.PublicKey(), who.Sign(message)
	for range b.N {
		if !ed25519.Verify(key[:], message, sig) {
			b.Fatal("no")
		}
	}
}

func BenchmarkAddAll(b *testing.B) {
	entries := history(b, b.N)
	f := onDisk(b)
	b.ResetTimer()
	for ; len(entries) > 0; entries = entries[min(len(entries), 1024):] {
		if _, err := f.AddAll(context.Background(), entries[:min(len(entries), 1024)], identity.PublicKey{}, start); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSync is the long form: 100 000 entries onto an empty peer, and ten
// differences among as many. Its figures per run are turns and bytes beside the
// entries.
func BenchmarkSync(b *testing.B) {
	const n = 100_000
	entries := history(b, n)
	there := onDisk(b)
	give(b, there, entries)
	report := func(b *testing.B, got feed.Result) {
		b.ReportMetric(float64(got.Turns), "turns")
		b.ReportMetric(float64(got.Overhead), "overhead-bytes")
	}
	b.Run("empty", func(b *testing.B) {
		for range b.N {
			here := onDisk(b)
			var got feed.Result
			for more := true; more; more = got.More {
				got = mustSync(b, here, there)
			}
			if count, err := here.Count(room); count != n || err != nil {
				b.Fatalf("%d entries, %v", count, err)
			}
			report(b, got)
		}
	})
	b.Run("differing=10", func(b *testing.B) {
		here := onDisk(b)
		give(b, here, entries)
		b.ResetTimer()
		for run := range b.N {
			for i := range 10 {
				on := entries[(i*n/10+run*977)%n]
				give(b, []*feed.Feeds{here, there}[i%2], []*feed.Entry{sign(author(byte(100+i)), feed.Entry{
					Feed: room, Height: on.Height + 1, Parents: ids(on), TS: start.UnixMilli(), Body: fmt.Append(nil, run),
				})})
			}
			report(b, mustSync(b, here, there))
		}
	})
	b.Run("differing=0", func(b *testing.B) {
		here := onDisk(b)
		give(b, here, entries)
		mustSync(b, here, there)
		b.ResetTimer()
		for range b.N {
			report(b, mustSync(b, there, here))
		}
	})
}

// BenchmarkScan reads a feed from its beginning, as an owner does at its start.
func BenchmarkScan(b *testing.B) {
	const n = 100_000
	f := onDisk(b)
	give(b, f, history(b, n))
	for b.Loop() {
		seen := 0
		if err := f.Scan(room, feed.Position{}, func(*feed.Entry) bool { seen++; return true }); err != nil || seen != n {
			b.Fatal(seen, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}
