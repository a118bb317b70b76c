package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
