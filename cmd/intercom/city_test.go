package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"intercom/cmd/internal/validator"
	"intercom/planes/msb/bus"
)

// listedTransfers reads all settled transactions through a peer's light client:
// how often each amount was moved.
func listedTransfers(t testing.TB, c caller) map[string]int {
	t.Helper()
	moved := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Txs []struct {
				Name, Amount string
				Code         int
			}
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(result(t, c, "msb_txs", fmt.Sprintf(`{"limit":1000,"cursor":%q}`, cursor)), &page); err != nil {
			t.Fatal(err)
		}
		for _, tx := range page.Txs {
			if tx.Code == 0 {
				moved[tx.Amount]++
			}
		}
		if cursor = page.Next; cursor == "" {
			return moved
		}
	}
}

// accounted is the sum of what these accounts have, of their stakes and of what
// was burned, and the supply, which it must be.
func accounted(t testing.TB, c caller, accounts []string) (sum, supply bus.Amount) {
	t.Helper()
	add := func(text string) {
		part, err := bus.ParseAmount(text)
		ok := err == nil
		if ok {
			sum, ok = sum.Add(part)
		}
		if !ok {
			t.Fatalf("%q cannot be added: %v", text, err)
		}
	}
	for _, address := range accounts {
		var out struct{ Balance, Stake string }
		if err := json.Unmarshal(result(t, c, "msb_account", fmt.Sprintf(`{"address":%q}`, address)), &out); err != nil {
			t.Fatal(err)
		}
		add(out.Balance)
		add(out.Stake)
	}
	var all struct{ Supply, Burned string }
	if err := json.Unmarshal(result(t, c, "msb_validators", `{}`), &all); err != nil {
		t.Fatal(err)
	}
	add(all.Burned)
	supply, err := bus.ParseAmount(all.Supply)
	if err != nil {
		t.Fatal(err)
	}
	return sum, supply
}

// oneState waits until all nodes that run tell the same state, with nothing
// waiting.
func (c *city) oneState(t testing.TB) validator.Status {
	t.Helper()
	var first validator.Status
	for end := time.Now().Add(2 * patience); ; time.Sleep(200 * time.Millisecond) {
		same := true
		var all []validator.Status
		for _, n := range c.nodes {
			s, ok := n.tells()
			all = append(all, s)
			same = same && ok && s.State == all[0].State && s.Waiting == 0
		}
		if first = all[0]; same {
			return first
		}
		if time.Now().After(end) {
			t.Fatalf("the nodes differ: %+v", all)
		}
	}
}

// Four validators and their peers, as processes. Payments go on while a
// validator and a peer die; nothing that was acknowledged is lost or done twice,
// and no money comes or goes. With two of four away nothing is confirmed, and
// it goes on when one is back.
func TestProofCitySettlesThroughDeaths(t *testing.T) {
	many, each := 2, 20
	if proving() {
		many, each = 4, 2500
	}
	payers := make([]*payer, many)
	var rich []string
	for i := range payers {
		payers[i] = newPayer(t, fmt.Sprint("payer", i))
		payers[i].hashes = make([]string, each)
		rich = append(rich, payers[i].address)
	}
	shop := newPayer(t, "shop")
	c := newCity(t, 4, rich...)
	var entries []string
	for _, n := range c.nodes {
		entries = append(entries, n.entry)
	}
	accounts := append([]string{shop.address}, rich...)
	for _, n := range c.nodes {
		accounts = append(accounts, n.card.Operator)
	}
	for _, p := range append([]*payer{shop}, payers...) {
		p.args = []string{"--msb-genesis", c.genesis, "--msb-validators", strings.Join(entries, ",")}
	}
	for _, n := range c.nodes {
		n.until(t, "up", func(s validator.Status) bool { return s.Health == "healthy" && len(s.Nodes) == 3 && s.Height > 0 })
	}

	begun := time.Now()
	var answered atomic.Int64
	var paying sync.WaitGroup
	for i, p := range payers {
		paying.Go(func() { p.payAll(t, i, shop.address, &answered) })
	}
	reached := func(part int64) {
		for end := time.Now().Add(20 * patience); answered.Load() < part*int64(many*each)/10; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("only %d payments were answered", answered.Load())
				return
			}
		}
	}
	reached(3)
	c.nodes[1].run.kill()
	reached(5)
	payers[1].dies()
	reached(6)
	c.nodes[1].start(t)
	paying.Wait()
	acknowledged := time.Since(begun)
	var confirming sync.WaitGroup
	for _, p := range payers {
		confirming.Go(func() { p.confirmAll(t) })
	}
	confirming.Wait()
	if t.Failed() {
		return
	}
	took := time.Since(begun)

	eye := shop.lives(t)
	moved := listedTransfers(t, eye)
	for i := range payers {
		for k := range each {
			if n := moved[trimmed(t, amountOf(i, k))]; n != 1 {
				t.Errorf("payment %d of payer %d was made %d times", k, i, n)
			}
		}
	}
	if len(moved) != many*each {
		t.Errorf("%d amounts were moved, %d were paid", len(moved), many*each)
	}
	sum, supply := accounted(t, eye, accounts)
	if sum != supply {
		t.Errorf("all accounts and what was burned are %s, the supply is %s", sum, supply)
	}
	state := c.oneState(t)
	figure(t, "4 validators, %d peers, a validator and a peer killed -9: %d transfers acknowledged after %v, all confirmed after %v; each once, accounts + burned = supply %s, one state %.16s at height %d",
		many, many*each, acknowledged.Round(time.Millisecond), took.Round(time.Millisecond), supply, state.State, state.Height)
	c.halts(t, payers[0], shop.address)
}

// trimmed is an amount as it is printed.
func trimmed(t testing.TB, text string) string {
	t.Helper()
	a, err := bus.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}

// halts stops two of four.
func (c *city) halts(t *testing.T, p *payer, to string) {
	t.Helper()
	c.nodes[2].run.kill()
	c.nodes[3].run.kill()
	r := p.lives(t)
	var sent struct{ Hash, State string }
	if err := json.Unmarshal(result(t, r, "transfer", fmt.Sprintf(`{"to":%q,"amount":"7","key":"while two are away"}`, to)), &sent); err != nil {
		t.Fatal(err)
	}
	c.nodes[0].until(t, "stalled", func(s validator.Status) bool { return s.Health == "stalled" && len(s.Absent) == 2 })
	wait := fmt.Sprintf(`{"hash":%q,"timeout_ms":1000}`, sent.Hash)
	if raw := result(t, r, "tx_wait", wait); holds(`"confirmed"`)(raw) || sent.State == "confirmed" {
		t.Errorf("two of four confirmed: %s", raw)
	}
	raw := result(t, r, "msb", `{}`)
	if holds(`"pending":0`)(raw) {
		t.Errorf("nothing is said to be pending: %s", raw)
	}
	begun := time.Now()
	c.nodes[2].start(t)
	eventually(t, r, "tx_wait", wait, holds(`"confirmed"`))
	back := time.Since(begun)
	c.nodes[3].start(t)
	c.oneState(t)
	figure(t, "2 of 4 away: the network says stalled and names both, nothing is confirmed; confirmed %v after one is back; then all four have one state", back.Round(time.Millisecond))
}
