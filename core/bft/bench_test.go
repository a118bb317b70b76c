package bft_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"intercom/core/bft"
)

// rss is the memory of this process in MB, where the system tells.
func rss() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kilobytes, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return float64(kilobytes) / 1024
}

// BenchmarkChain tells, for one validator and for four in one process: the time
// to the first block, one transaction at a time, many at a time, blocks made
// while idle, and memory.
func BenchmarkChain(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("validators=%d", n), func(b *testing.B) {
			began := time.Now()
			sites := town(b, n)
			wait(b, "the first block", func() bool { return sites[0].node.Status().Height >= 1 })
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "first-block-ms")
			sites[0].confirm("warm")

			var each []time.Duration
			for i := range 100 {
				at := time.Now()
				sites[0].confirm(fmt.Sprintf("%0200d", i))
				each = append(each, time.Since(at))
			}
			slices.Sort(each)
			b.ReportMetric(float64(each[50].Microseconds())/1000, "commit-p50-ms")
			b.ReportMetric(float64(each[95].Microseconds())/1000, "commit-p95-ms")

			const total = 5000
			at := time.Now()
			var senders sync.WaitGroup
			var next atomic.Int64
			for range 8 {
				senders.Go(func() {
					for i := next.Add(1); i <= total; i = next.Add(1) {
						if _, err := sites[int(i)%n].node.Submit(b.Context(), fmt.Appendf(nil, "load %0200d", i)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			senders.Wait()
			wait(b, "the load", func() bool { return sites[0].app.total() == total+101 })
			b.ReportMetric(total/time.Since(at).Seconds(), "tx/s")

			tip := sites[0].settled()
			time.Sleep(2 * time.Second)
			b.ReportMetric(float64(sites[0].node.Status().Height-tip), "idle-blocks")
			b.ReportMetric(rss(), "rss-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("validators=%d", n), func(b *testing.B) {
			sites := town(b, n)
			sites[0].confirm("tx")
			sites[0].settled()
			raw, err := sites[0].node.Prove(bft.TxHash([]byte("tx")))
			if err != nil {
				b.Fatal(err)
			}
			trust := sites[0].genesis.Trust()
			b.ReportMetric(float64(len(raw)), "proof-B")
			for b.Loop() {
				if _, err := bft.Verify(trust, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
