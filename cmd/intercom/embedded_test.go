package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The peer that holds its own development network is killed at random moments
// while it pays: it opens again, every transfer that was acknowledged is
// confirmed, once, and the money adds up.
func TestProofEmbeddedNetworkSurvivesKills(t *testing.T) {
	kills := 4
	if proving() {
		kills = 100
	}
	rng := rand.New(rand.NewPCG(5, 5))
	shop, p := newPayer(t, "shop"), newPayer(t, "alice")
	acknowledged := map[string]bool{}
	var opened []time.Duration
	for round := range kills {
		begun := time.Now()
		c := p.lives(t)
		result(t, c, "balance", `{}`)
		opened = append(opened, time.Since(begun))
		timer := time.AfterFunc(time.Duration(10+rng.IntN(250))*time.Millisecond, p.dies)
		for _, hash := range c.payUntilKilled(shop.address, round) {
			acknowledged[hash] = true
		}
		timer.Stop()
		p.dies()
	}
	slices.Sort(opened)
	begun := time.Now()
	for hash := range acknowledged {
		p.hashes = append(p.hashes, hash)
	}
	p.confirmAll(t)
	eye := p.lives(t)
	var settled, twice int
	for amount, n := range listedTransfers(t, eye) {
		settled += n
		if n != 1 {
			twice++
			t.Errorf("%s was paid %d times", amount, n)
		}
	}
	if len(acknowledged) == 0 || settled < len(acknowledged) {
		t.Errorf("%d transfers were acknowledged, %d are settled", len(acknowledged), settled)
	}
	sum, supply := accounted(t, eye, []string{p.address, shop.address})
	if sum != supply {
		t.Errorf("all accounts and what was burned are %s, the supply is %s", sum, supply)
	}
	figure(t, "%d kills -9 of the embedded peer during transfers: %d acknowledged, %d settled, 0 lost, %d twice; from start to an answer p50 %v, max %v; the rest confirmed after %v",
		kills, len(acknowledged), settled, twice, opened[len(opened)/2].Round(time.Millisecond), opened[len(opened)-1].Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
}

// payUntilKilled pays until the process is gone, every time another amount, and
// gives the hashes that were acknowledged.
func (c *rpcClient) payUntilKilled(to string, round int) (hashes []string) {
	for i := 0; ; i++ {
		calls := make([]string, 20)
		for k := range calls {
			calls[k] = fmt.Sprintf(`"method":"transfer","params":{"to":%q,"amount":"0.%06d%06d","key":"%d-%d"}`, to, round+1, 20*i+k+1, round, 20*i+k)
		}
		answers := c.many(calls)
		for _, raw := range answers {
			var out struct{ Hash string }
			if json.Unmarshal(raw, &out) == nil && out.Hash != "" {
				hashes = append(hashes, out.Hash)
			}
		}
		if slices.ContainsFunc(answers, func(a json.RawMessage) bool { return a == nil }) {
			return hashes
		}
	}
}
