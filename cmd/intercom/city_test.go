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

// payer is a peer of a city, on a machine of its own, that pays: what it was
// answered is remembered here over its deaths.
type payer struct {
	machine
	name    string
	address string
	args    []string
	hashes  []string // by number of the payment; "" while it was not answered

	mu  sync.Mutex
	run *rpcClient
}

func newPayer(t testing.TB, name string) *payer {
	t.Helper()
	p := &payer{machine: newMachine(t), name: name}
	out, log, code := p.machine.run(t, "", "identity", "new")
	_, rest, ok := strings.Cut(out, "address:")
	if code != done || !ok {
		t.Fatalf("identity: %d %s %s", code, out, log)
	}
	p.address = strings.Fields(rest)[0]
	return p
}

// lives is the peer, which is started unless it lives.
func (p *payer) lives(t testing.TB) *rpcClient {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		p.run = p.rpc(t, p.args...)
	}
	return p.run
}

// dies ends the peer as kill -9 does.
func (p *payer) dies() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil {
		p.run.kill()
		p.run = nil
	}
}

// many makes calls with a window of them under way and gives the answers in
// their order; those that a dead process did not give are empty.
func (c *rpcClient) many(calls []string) []json.RawMessage {
	answers := make([]json.RawMessage, len(calls))
	window, gone := make(chan struct{}, 32), make(chan struct{})
	base := c.next + 1
	c.next += len(calls)
	var writing sync.WaitGroup
	writing.Go(func() {
		for i, call := range calls {
			select {
			case window <- struct{}{}:
			case <-gone:
				return
			}
			if _, err := fmt.Fprintf(c.stdin, `{"jsonrpc":"2.0","id":%d,%s}`+"\n", base+i, call); err != nil {
				return
			}
		}
	})
	defer writing.Wait()
	defer close(gone)
	for range calls {
		if !c.lines.Scan() {
			break
		}
		var answer struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
		}
		if json.Unmarshal(c.lines.Bytes(), &answer) != nil {
			break // cut off in the middle
		}
		if i := answer.ID - base; i >= 0 && i < len(answers) {
			answers[i] = append(json.RawMessage{}, answer.Result...)
		}
		<-window
	}
	return answers
}

// amountOf is what a payment is worth: no other one is worth the same.
func amountOf(payer, number int) string { return fmt.Sprintf("%d.%06d", payer+1, number+1) }

// payAll makes all payments to an account, again those that got no hash, until
// each one has one. answered counts them.
func (p *payer) payAll(t testing.TB, self int, to string, answered *atomic.Int64) {
	for end := time.Now().Add(20 * patience); ; {
		var calls []string
		var numbers []int
		for i, hash := range p.hashes {
			if hash == "" {
				numbers = append(numbers, i)
				calls = append(calls, fmt.Sprintf(`"method":"transfer","params":{"to":%q,"amount":%q,"key":"%s-%d"}`, to, amountOf(self, i), p.name, i))
			}
		}
		if len(calls) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s: %d payments were never answered", p.name, len(calls))
			return
		}
		// A part at a time, so that a refusal for a moment is not repeated at once.
		calls = calls[:min(len(calls), 100)]
		for i, raw := range p.lives(t).many(calls) {
			var out struct{ Hash string }
			if json.Unmarshal(raw, &out) == nil && out.Hash != "" {
				p.hashes[numbers[i]] = out.Hash
				answered.Add(1)
			}
		}
	}
}

// confirmAll waits until every payment is confirmed.
func (p *payer) confirmAll(t testing.TB) {
	waiting := append([]string{}, p.hashes...)
	for end := time.Now().Add(20 * patience); len(waiting) > 0; {
		if time.Now().After(end) {
			t.Errorf("%s: %d payments that were acknowledged are not confirmed, the first is %s", p.name, len(waiting), waiting[0])
			return
		}
		calls := make([]string, len(waiting))
		for i, hash := range waiting {
			calls[i] = fmt.Sprintf(`"method":"tx_wait","params":{"hash":%q,"timeout_ms":10000}`, hash)
		}
		var rest []string
		for i, raw := range p.lives(t).many(calls) {
			var out struct{ State string }
			if json.Unmarshal(raw, &out); out.State == "failed" || out.State == "expired" {
				t.Errorf("%s: %s", p.name, raw)
			} else if out.State != "confirmed" {
				rest = append(rest, waiting[i])
			}
		}
		waiting = rest
	}
}

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
