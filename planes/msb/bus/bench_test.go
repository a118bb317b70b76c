package bus_test

import (
	"fmt"
	"testing"

	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

// BenchmarkBlock is a block of 400 transfers among 10 000 accounts from the
// signature to the disk; "verified" is what remains when the signatures were
// checked before, as they are when a transaction is admitted.
func BenchmarkBlock(b *testing.B) {
	for _, verified := range []bool{false, true} {
		b.Run(fmt.Sprintf("verified=%t", verified), func(b *testing.B) {
			s, err := store.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			space := s.Space("bus")
			w := &world{t: b, space: space, tree: merkle.Open(space, 8), machine: bus.NewMachine()}
			g := genesis(1)
			for i := range 10_000 {
				g.Accounts = append(g.Accounts, bus.Funds{Address: key(fmt.Sprint("a", i)).PublicKey().Address(), Balance: amount("1000000")})
			}
			u := w.update()
			if _, err := g.Begin(u); err != nil {
				b.Fatal(err)
			}
			w.write(u)
			const size = 400
			b.ResetTimer()
			for i := range b.N {
				b.StopTimer()
				block := w.block()
				for j := range size {
					n := (i*size + j) * 7919
					block.Txs = append(block.Txs, w.sign(fmt.Sprint("a", n%10_000), pay(fmt.Sprint("a", (n*31+1)%10_000), "1")))
				}
				if verified {
					if trial, err := w.machine.Try(w.view(), block); err != nil || !trial.Settles() {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				w.apply(block)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*size)*1e6, "µs/tx")
		})
	}
}
