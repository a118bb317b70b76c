package chain_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	"intercom/core/identity"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// bare is the engine with signed transfers of 200 bytes and no further
// application: it checks each signature once and counts.
type bare struct {
	known  sync.Map
	height atomic.Int64
	count  atomic.Int64
	next   int64
	grown  int
}

// transfer is 136 bytes, the key that signed them and its signature.
const transferSize = 136 + 32 + 64

func (b *bare) Last() (int64, bft.Hash, error) { return b.height.Load(), b.state(b.count.Load()), nil }

func (b *bare) state(n int64) bft.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (b *bare) Init(bft.Genesis) (bft.Hash, error) { return b.state(0), nil }

func (b *bare) Check(tx []byte, _ bool) bft.Result {
	hash := sha256.Sum256(tx)
	if _, ok := b.known.Load(hash); ok {
		return bft.Result{}
	}
	if len(tx) != transferSize || !identity.Verify(identity.PublicKey(tx[136:168]), tx[:136], tx[168:]) {
		return bft.Result{Code: 1}
	}
	b.known.Store(hash, true)
	return bft.Result{}
}

func (b *bare) Execute(p bft.Proposal) (bft.Executed, error) {
	done := bft.Executed{Results: make([]bft.Result, len(p.Txs))}
	for i, tx := range p.Txs {
		done.Results[i] = b.Check(tx, false)
	}
	b.next, b.grown = p.Height, len(p.Txs)
	done.State = b.state(b.count.Load() + int64(b.grown))
	return done, nil
}

func (b *bare) Commit() error {
	b.count.Add(int64(b.grown))
	b.height.Store(b.next)
	return nil
}

// counted is the bus, counting what it settles.
type counted struct {
	*chain.App
	count atomic.Int64
	grown int
}

func (c *counted) Execute(p bft.Proposal) (bft.Executed, error) {
	c.grown = len(p.Txs)
	return c.App.Execute(p)
}

func (c *counted) Commit() error {
	err := c.App.Commit()
	c.count.Add(int64(c.grown))
	return err
}

// contender is a way to carry signed transfers over a chain.
type contender struct {
	submit func(ctx context.Context, validator int, tx []byte) error
	wait   func(ctx context.Context, tx []byte) error
	count  func() int64
	make   func(i int) []byte
	made   int
}

const senders = 500

func senderName(i int) string { return fmt.Sprint("sender", i%senders) }

// engineAlone runs validators of the bare application.
func engineAlone(t testing.TB, n int) contender {
	t.Helper()
	sites := make([]*site, n)
	apps := make([]*bare, n)
	for i := range sites {
		sites[i], apps[i] = newSite(t), &bare{}
		sites[i].wrap = func(*chain.App) bft.Application { return apps[i] }
	}
	open(t, sites, nil)
	return contender{
		submit: func(ctx context.Context, v int, tx []byte) error {
			r, err := sites[v%n].node.Submit(ctx, tx)
			return refused(r.Code, err)
		},
		wait: func(ctx context.Context, tx []byte) error {
			_, err := sites[0].node.Wait(ctx, bft.TxHash(tx))
			return err
		},
		count: apps[0].count.Load,
		make: func(i int) []byte {
			tx := make([]byte, 136, transferSize)
			binary.BigEndian.PutUint64(tx, uint64(i))
			id := key(senderName(i))
			k := id.PublicKey()
			sig := id.Sign(tx)
			return append(append(tx, k[:]...), sig...)
		},
	}
}

// theBus runs validators of the bus.
func theBus(t testing.TB, n int) contender {
	t.Helper()
	var funds []bus.Funds
	for i := range senders {
		funds = append(funds, bus.Funds{Address: address(senderName(i)), Balance: amount(t, "1000000")})
	}
	sites, apps := make([]*site, n), make([]*counted, n)
	for i := range sites {
		sites[i] = newSite(t)
		sites[i].wrap = func(a *chain.App) bft.Application {
			apps[i] = &counted{App: a}
			return apps[i]
		}
	}
	open(t, sites, funds)
	return contender{
		submit: func(ctx context.Context, v int, tx []byte) error {
			r, err := sites[v%n].ledger.Submit(ctx, tx)
			return refused(uint32(r.Code), err)
		},
		wait: func(ctx context.Context, tx []byte) error {
			s, _ := bus.Decode(tx)
			_, err := sites[0].ledger.Wait(ctx, s.ID)
			return err
		},
		count: func() int64 { return apps[0].count.Load() },
		make: func(i int) []byte {
			return sites[0].sign(senderName(i), pay(t, fmt.Sprint("receiver", i%1999), "0.000001")).Encode()
		},
	}
}

func refused(code uint32, err error) error {
	if err == nil && code != 0 {
		err = fmt.Errorf("refused with code %d", code)
	}
	return err
}

// calls sends transactions one at a time and tells how long each took from call
// to settled.
func (c *contender) calls(t testing.TB, n int) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	each := make([]time.Duration, n)
	for i := range each {
		tx := c.fresh()
		at := time.Now()
		err := c.submit(ctx, 0, tx)
		if err == nil {
			err = c.wait(ctx, tx)
		}
		if err != nil {
			t.Fatal(err)
		}
		each[i] = time.Since(at)
	}
	return each
}

// burst sends many at a time and tells how many a second are settled.
func (c *contender) burst(t testing.TB, n int) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	txs := make([][]byte, n)
	for i := range txs {
		txs[i] = c.fresh()
	}
	before, at := c.count(), time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := c.submit(ctx, i, txs[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	await(t, "all are settled", func() bool { return c.count() >= before+int64(n) || t.Failed() })
	return float64(n) / time.Since(at).Seconds()
}

func (c *contender) fresh() []byte {
	c.made++
	return c.make(c.made)
}

// duel is the engine alone and the bus, measured in turn on the same machine in
// the same minute.
type duel struct {
	engine, bus         float64 // transactions a second, the median burst
	share               float64 // of the engine's, the median pair of bursts
	engineCall, busCall time.Duration
}

func fight(t testing.TB, validators, bursts, size, calls int) (d duel) {
	t.Helper()
	engine, settled := engineAlone(t, validators), theBus(t, validators)
	for _, c := range []*contender{&engine, &settled} {
		c.burst(t, size) // warm
	}
	var e, s, shares []float64
	var eCalls, sCalls []time.Duration
	for range bursts {
		eCalls = append(eCalls, engine.calls(t, calls/bursts)...)
		sCalls = append(sCalls, settled.calls(t, calls/bursts)...)
		one, other := engine.burst(t, size), settled.burst(t, size)
		e, s, shares = append(e, one), append(s, other), append(shares, other/one)
	}
	return duel{median(e), median(s), median(shares), median(eCalls), median(sCalls)}
}

func median[T cmp.Ordered](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}

// BenchmarkTransfers tells, for one validator and for four in one process, what
// the bus carries, and beside it the engine alone, in the same run.
func BenchmarkTransfers(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprint("validators=", n), func(b *testing.B) {
			for range b.N {
				d := fight(b, n, 5, 1000, 50)
				b.ReportMetric(d.engine, "engine-tx/s")
				b.ReportMetric(d.bus, "bus-tx/s")
				b.ReportMetric(d.share, "throughput-ratio")
				b.ReportMetric(float64(d.engineCall.Microseconds())/1000, "engine-p50-ms")
				b.ReportMetric(float64(d.busCall.Microseconds())/1000, "bus-p50-ms")
				b.ReportMetric(float64(d.busCall)/float64(d.engineCall), "time-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestProofTransfersBesideTheEngine is the same with more.
func TestProofTransfersBesideTheEngine(t *testing.T) {
	if os.Getenv("INTERCOM_PROOF") == "" {
		return
	}
	for _, n := range []int{1, 4} {
		d := fight(t, n, 9, 8000/n, 180)
		t.Logf("%d validators: the engine alone settles %.0f signed transfers/s, the bus %.0f/s; of a pair of bursts the bus has %.2f of the engine's rate", n, d.engine, d.bus, d.share)
		t.Logf("%d validators: from call to settled p50 %v with the engine alone, %v with the bus, which is %.2f of it", n, d.engineCall, d.busCall, float64(d.busCall)/float64(d.engineCall))
	}
}

// TestProofMemoryAfterManyTransactions tells the memory of a validator that
// settled 100 000 transactions.
func TestProofMemoryAfterManyTransactions(t *testing.T) {
	if os.Getenv("INTERCOM_PROOF") == "" {
		return
	}
	c := theBus(t, 1)
	before := rss()
	for round := range 10 {
		rate := c.burst(t, 10_000)
		t.Logf("after %d transactions: %.0f MB, %.0f/s", (round+1)*10_000, rss(), rate)
	}
	t.Logf("a validator has %.0f MB at the start and %.0f MB after 100 000 transactions, with those who send in the same process", before, rss())
}

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
