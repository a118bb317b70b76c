package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"intercom/intersplit/money"
)

// trip draws the balances of n people after n shared expenses with prices up to
// most, to the unit.
func trip(rng *rand.Rand, n int, most int) []Balance {
	sums := make([]money.Minor, n)
	for range n {
		price := money.Minor(10 + rng.IntN(most))
		sums[rng.IntN(n)] += price
		sharing := rng.Perm(n)[:2+rng.IntN(n-1)]
		for i, part := range money.Evenly(price, len(sharing)) {
			sums[sharing[i]] -= part
		}
	}
	balances := make([]Balance, n)
	for i, sum := range sums {
		balances[i] = Balance{Member: fmt.Sprintf("m%02d", i), Amount: money.SumOf(sum)}
	}
	return balances
}

// greedyPayments is what most ledgers plan: largest debtor to largest creditor.
func greedyPayments(balances []Balance) int {
	open := slices.DeleteFunc(slices.Clone(balances), func(b Balance) bool { return b.Amount.Sign() == 0 })
	return len(largestFirst(open))
}

// The planner against the largest-first rule: never worse, and by how much better.
func TestProofPlanner(t *testing.T) {
	sizes, rounds := []int{8, 12, 16, 26}, 5
	if testing.Short() {
		sizes, rounds = sizes[:2], 1
	}
	if os.Getenv("INTERCOM_PROOF") != "" {
		sizes, rounds = []int{8, 12, 16, 20, 22, 24, 32, 40}, 40
	}
	t.Log("members  amounts  payments  largest first  saved  proven  mean ms  worst ms")
	for _, n := range sizes {
		for _, amounts := range []struct {
			said string
			most int
		}{{"whole", 200}, {"cents", 20_000}} {
			rng := rand.New(rand.NewPCG(7, uint64(n)))
			var planned, greedy, proven int
			var total, worst time.Duration
			for range rounds {
				balances := trip(rng, n, amounts.most)
				begun := time.Now()
				p, err := Settle(balances)
				took := time.Since(begun)
				if err != nil {
					t.Fatal(err)
				}
				total, worst = total+took, max(worst, took)
				other := greedyPayments(balances)
				if len(p.Payments) > other || p.LowerBound > len(p.Payments) {
					t.Fatalf("%d payments, largest first %d, bound %d", len(p.Payments), other, p.LowerBound)
				}
				planned, greedy = planned+len(p.Payments), greedy+other
				if p.Optimal {
					proven++
				}
			}
			t.Logf("%7d  %7s  %8d  %13d  %4.1f%%  %5d%%  %7.2f  %8.2f", n, amounts.said, planned, greedy,
				100*float64(greedy-planned)/float64(greedy), 100*proven/rounds,
				float64(total.Microseconds())/1000/float64(rounds), float64(worst.Microseconds())/1000)
		}
	}
}
