package bft

import (
	"slices"
	"testing"

	"github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"intercom/core/identity"
)

// engineTurns does what the engine does with every block (its updateState).
func engineTurns(t *rapid.T, trust Trust, height int64) (now, next *types.ValidatorSet) {
	now = engineSet(trust.Sets[0].Validators)
	next = now.CopyIncrementProposerPriority(1)
	changed := 1
	set := func(at int64) []Validator { s, _ := trust.at(at); return s.Validators }
	if change := difference(set(1), set(2)); len(change) > 0 {
		t.Fatal("a set of the genesis signs two blocks")
	}
	for at := int64(1); at < height; at++ {
		after := next.Copy()
		if change := difference(set(at+1), set(at+2)); len(change) > 0 {
			changed++
			updates, err := types.PB2TM.ValidatorUpdates(change)
			if err != nil {
				t.Fatal(err)
			}
			if err := after.UpdateWithChangeSet(updates); err != nil {
				t.Fatal(err)
			}
		}
		after.IncrementProposerPriority(1)
		now, next = next, after
	}
	return now, next
}

func TestTurnsAreTheEngines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Validator {
			return Validator{
				Key:   identity.PublicKey{rapid.ByteRange(1, 12).Draw(t, "key")},
				Power: rapid.SampledFrom([]int64{1, 2, 3, 7, 10, 1000}).Draw(t, "power"),
			}
		}), 1, 6, func(v Validator) identity.PublicKey { return v.Key })
		trust := Trust{ChainID: "turns", Sets: []Set{{From: 1, Validators: sorted(set.Draw(t, "genesis"))}}}
		from := int64(2)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			from += rapid.Int64Range(1, 300).Draw(t, "later")
			next := Set{From: from, Validators: sorted(set.Draw(t, "set"))}
			if !slices.Equal(next.Validators, trust.Sets[len(trust.Sets)-1].Validators) {
				trust.Sets = append(trust.Sets, next)
			}
		}
		height := rapid.Int64Range(1, 1500).Draw(t, "height")
		now, next, err := turns(trust, height)
		if err != nil {
			t.Fatal(err)
		}
		wantNow, wantNext := engineTurns(t, trust, height)
		if !sameTurns(now, wantNow) || !sameTurns(next, wantNext) {
			t.Fatalf("at %d:\n%v\n%v\nthe engine has\n%v\n%v", height, now, next, wantNow, wantNext)
		}
	})
}

func sameTurns(a, b *types.ValidatorSet) bool {
	return string(a.Hash()) == string(b.Hash()) && slices.Equal(priorities(a), priorities(b)) &&
		string(a.GetProposer().Address) == string(b.GetProposer().Address)
}

func TestTurnsOfAnOldChainAreQuick(t *testing.T) {
	trust := Genesis{ChainID: "old", Validators: []Validator{{identity.PublicKey{1}, 3}, {identity.PublicKey{2}, 10}}}.Trust()
	now, _, err := turns(trust, 1_000_000_000_000)
	if err != nil || now.Size() != 2 {
		t.Errorf("%v, %v", now, err)
	}
}
