package sidechannel

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// crew is a channel with a sender and listeners that tell what arrived.
type crew struct {
	sender  *house
	members int
	arrived chan int // one token for each message at each listener
	got     atomic.Int64
	warm    atomic.Int64 // listeners that the last message of the warming up reached
}

func newCrew(b *testing.B, members int, sealed bool, bits int) *crew {
	change := func(cfg *Config) {
		cfg.Policy.Rates.Unlimited, cfg.Policy.Work.Bits = true, bits
	}
	c := &crew{members: members, arrived: make(chan int, 1<<16)}
	c.sender = newHouseWith(b, "sender", nil, change)
	c.sender.call(b, "sc_join", fmt.Sprintf(`{"channel":"crew","create":%v,"invite_only":%v}`, sealed, sealed))
	for i := range members - 1 {
		h := newHouseWith(b, fmt.Sprintf("member %d", i), nil, change, c.sender.host.Addrs()...)
		invite := "null"
		if sealed {
			invite = bareInvite(b, c.sender, "crew", h)
			h.call(b, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, invite))
		} else {
			h.call(b, "sc_join", `{"channel":"crew"}`)
		}
		h.Listen("warm", func(Message) { c.warm.Add(1) })
		h.Listen("bench", func(Message) { c.got.Add(1); c.arrived <- 1 })
	}
	deadline := time.Now().Add(30 * time.Second)
	for n := 0; c.warm.Load() < int64(members-1); n++ { // until one message reaches all
		c.warm.Store(0)
		c.send(b, "warm", n)
		time.Sleep(200 * time.Millisecond)
		if time.Now().After(deadline) {
			b.Fatal("the members did not meet")
		}
	}
	return c
}

func (c *crew) send(b *testing.B, app string, n int) {
	message, err := json.Marshal(map[string]any{"app": app, "n": n, "pad": "................................................................"})
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := c.sender.Send(b.Context(), "crew", message); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTalk measures over libp2p on loopback, all members in one process:
// the latency of one message at a time until the last member has it, then how
// many a second arrive at all of them. Every message must arrive at everybody.
func BenchmarkTalk(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		for _, bits := range []int{0, 12} {
			for _, members := range []int{2, 8} {
				kind := map[bool]string{false: "open", true: "sealed"}[sealed]
				b.Run(fmt.Sprintf("%s/work=%d/members=%d", kind, bits, members), func(b *testing.B) { talk(b, newCrew(b, members, sealed, bits)) })
			}
		}
	}
}

func talk(b *testing.B, c *crew) {
	var took []time.Duration
	sent := 0
	for b.Loop() {
		begin := time.Now()
		c.send(b, "bench", sent)
		sent++
		for range c.members - 1 {
			<-c.arrived
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")

	const burst = 1000
	begin := time.Now()
	for i := range burst {
		c.send(b, "bench", i)
		sent++
	}
	deadline := time.After(30 * time.Second)
	for range burst * (c.members - 1) {
		select {
		case <-c.arrived:
		case <-deadline:
			b.Fatalf("%d of %d arrived", c.got.Load(), sent*(c.members-1))
		}
	}
	b.ReportMetric(burst/time.Since(begin).Seconds(), "msg/s")
	if c.got.Load() != int64(sent*(c.members-1)) {
		b.Errorf("%d of %d arrived", c.got.Load(), sent*(c.members-1))
	}
}
