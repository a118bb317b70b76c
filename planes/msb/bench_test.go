package msb_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"intercom/core/op"
)

// call is an operation as a surface calls it, for the benchmarks.
func call(t testing.TB, s *somebody, name, params string) map[string]any {
	reply, err := s.ops.Call(t.Context(), op.Request{Name: name, Params: json.RawMessage(params), Grant: op.Write})
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(reply.Value, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// settleOne sends and waits until it is confirmed.
func settleOne(t testing.TB, s *somebody, to string) {
	hash := call(t, s, "transfer", fmt.Sprintf(`{"to":%q,"amount":"0.001"}`, to))["hash"]
	if out := call(t, s, "tx_wait", fmt.Sprintf(`{"hash":%q}`, hash)); out["state"] != "confirmed" {
		t.Fatal(out)
	}
}

// BenchmarkCallToConfirmed is one transfer at a time, from the call of the
// operation to the answer of tx_wait: at the validator, and at a light client.
// Package chain measures the engine beside its own application.
func BenchmarkCallToConfirmed(b *testing.B) {
	node := start(b, "alice", b.TempDir(), "")
	genesis := call(b, node, "msb", `{}`)["genesis"].(string)
	light := start(b, "bob", b.TempDir(), genesis, node.host.Addrs()...)
	settleOne(b, light, node.address()) // fetches the genesis and is funded
	for _, c := range []struct {
		name string
		s    *somebody
	}{{"validator", node}, {"light-client", light}} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				at := time.Now()
				settleOne(b, c.s, someone("carol").PublicKey().Address())
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// TestProofOfSettlementTime prints what a call costs and what a start costs.
func TestProofOfSettlementTime(t *testing.T) {
	rounds := 5
	if os.Getenv("INTERCOM_PROOF") != "" {
		rounds = 200
	}
	began := time.Now()
	node := start(t, "alice", t.TempDir(), "")
	genesis := call(t, node, "msb", `{}`)["genesis"].(string)
	t.Logf("PROOF from nothing to the first answer of the development network: %v", time.Since(began).Round(time.Millisecond))
	light := start(t, "bob", t.TempDir(), genesis, node.host.Addrs()...)
	settleOne(t, light, node.address())
	for name, s := range map[string]*somebody{"validator": node, "light client": light} {
		took := make([]time.Duration, rounds)
		for i := range took {
			at := time.Now()
			settleOne(t, s, someone("carol").PublicKey().Address())
			took[i] = time.Since(at)
		}
		slices.Sort(took)
		t.Logf("PROOF call to confirmed at the %s, %d transfers one at a time: p50 %v, p95 %v",
			name, rounds, took[rounds/2].Round(100*time.Microsecond), took[rounds*95/100].Round(100*time.Microsecond))
	}
	before := call(t, node, "balance", `{}`)["height"]
	time.Sleep(time.Duration(rounds) * 10 * time.Millisecond) // idle
	if after := call(t, node, "balance", `{}`)["height"].(float64) - before.(float64); after > 1 {
		t.Errorf("%v blocks were made while nothing was sent", after) // 1: the proof of the last
	}
}
