package chain_test

import (
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

// figures are what was measured of one contender.
type figures struct {
	commit    time.Duration // half of the transactions, sent one at a time, take less from call to settled
	perSecond float64       // many at a time
}

func (c contender) measure(t testing.TB, alone, many int) (f figures) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	one := func(tx []byte) {
		if err := c.submit(ctx, 0, tx); err != nil {
			t.Fatal(err)
		}
		if err := c.wait(ctx, tx); err != nil {
			t.Fatal(err)
		}
	}
	one(c.make(0))
	each := make([]time.Duration, alone)
	for i := range each {
		tx := c.make(i + 1)
		at := time.Now()
		one(tx)
		each[i] = time.Since(at)
	}
	slices.Sort(each)
	f.commit = each[alone/2]

	txs := make([][]byte, many)
	for i := range txs {
		txs[i] = c.make(1_000_000*int(c.count()) + i)
	}
	before, at := c.count(), time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < many; i = int(next.Add(1)) - 1 {
				if err := c.submit(ctx, i, txs[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	await(t, "all are settled", func() bool { return c.count() >= before+int64(many) || t.Failed() })
	f.perSecond = float64(many) / time.Since(at).Seconds()
	return f
}

// compare measures both, in turn, a few times, and takes the medians.
func compare(t testing.TB, validators, rounds, alone, many int) (engine, settled figures) {
	t.Helper()
	var e, s [2][]float64
	for range rounds {
		for i, c := range []func(testing.TB, int) contender{engineAlone, theBus} {
			runIn(t, func(t testing.TB) {
				f := c(t, validators).measure(t, alone, many)
				into := &e
				if i == 1 {
					into = &s
				}
				into[0] = append(into[0], float64(f.commit))
				into[1] = append(into[1], f.perSecond)
			})
		}
	}
	median := func(list []float64) float64 { slices.Sort(list); return list[len(list)/2] }
	return figures{time.Duration(median(e[0])), median(e[1])}, figures{time.Duration(median(s[0])), median(s[1])}
}

// runIn runs a part whose nodes end with it.
func runIn(t testing.TB, part func(t testing.TB)) {
	switch t := t.(type) {
	case *testing.T:
		t.Run("", func(t *testing.T) { part(t) })
	case *testing.B:
		t.Run("", func(b *testing.B) {
			if b.N == 1 {
				part(b)
			}
		})
	}
}

// BenchmarkTransfers tells, for one validator and for four in one process, what
// the bus carries, and beside it the engine alone, in the same run.
func BenchmarkTransfers(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprint("validators=", n), func(b *testing.B) {
			for range b.N {
				e := engineAlone(b, n).measure(b, 50, 3000)
				s := theBus(b, n).measure(b, 50, 3000)
				b.ReportMetric(e.perSecond, "engine-tx/s")
				b.ReportMetric(s.perSecond, "bus-tx/s")
				b.ReportMetric(s.perSecond/e.perSecond, "throughput-ratio")
				b.ReportMetric(float64(e.commit.Microseconds())/1000, "engine-p50-ms")
				b.ReportMetric(float64(s.commit.Microseconds())/1000, "bus-p50-ms")
				b.ReportMetric(float64(s.commit)/float64(e.commit), "time-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestProofTransfersBesideTheEngine is the same with more, and repeated.
func TestProofTransfersBesideTheEngine(t *testing.T) {
	if os.Getenv("INTERCOM_PROOF") == "" {
		return
	}
	for _, n := range []int{1, 4} {
		e, s := compare(t, n, 3, 200, 10_000)
		t.Logf("%d validators: the engine alone settles %.0f signed transfers/s, the bus %.0f/s, which is %.2f of it", n, e.perSecond, s.perSecond, s.perSecond/e.perSecond)
		t.Logf("%d validators: from call to settled p50 %v with the engine alone, %v with the bus, which is %.2f of it", n, e.commit, s.commit, float64(s.commit)/float64(e.commit))
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
		f := c.measure(t, 1, 10_000)
		t.Logf("after %d transactions: %.0f MB, %.0f/s", (round+1)*10_000, rss(), f.perSecond)
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
