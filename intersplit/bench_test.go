package intersplit

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// filled is a room of n expenses among 12 members.
func filled(b *testing.B, n int) *room {
	feeds, err := feed.Open(memory(b).Space("feed"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	rm := newRoom("trip", feeds, &peer{}, quota{1 << 40})
	author := identity.FromSeed([32]byte{1})
	for i := range n {
		name := func(k int) ledger.Name { return ledger.Name(fmt.Sprint("member", (i*7+k*5)%12)) }
		amount := money.Minor(100 + i%9973)
		body, err := ledger.NewExpense(ledger.Expense{
			Amount: amount, Payers: []ledger.Part{{Member: name(0), Amount: amount}},
			Split: []ledger.Portion{{Member: name(0)}, {Member: name(1)}, {Member: name(2)}},
		})
		if err != nil {
			b.Fatal(err)
		}
		raw, err := body.Encode()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := feeds.Append(b.Context(), rm.id, author, raw, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	return rm
}

func BenchmarkRoomOf10000(b *testing.B) {
	rm := filled(b, 10_000)
	none := func(*ledger.Ledger) []Entry { return nil }
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			if err := newRoom("trip", rm.feeds, &peer{}, quota{1 << 40}).build(Policy{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("balance", func(b *testing.B) {
		for b.Loop() {
			if _, err := rm.statement(nil, none); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("balance with a new plan", func(b *testing.B) {
		for b.Loop() {
			rm.changes++
			if _, err := rm.statement(nil, none); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRecord is expense_add with its fsync, by one caller and by 64 at once.
func BenchmarkRecord(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			p := newWorld(b).joinWith(1, onDisk(b, b.TempDir()))
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			if callers == 1 {
				for b.Loop() {
					p.must("expense_add", expense("alice", "30"))
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := p.call("expense_add", expense("alice", "30")); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
