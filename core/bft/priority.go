package bft

import (
	"slices"

	"github.com/cometbft/cometbft/types"
)

// turns gives the sets of validators that a chain's engine has for a height and
// for the one after it, with whose turn it is to propose. That is no part of
// what validators sign: it is computed from the sets alone, so that a newcomer
// need not believe anybody and agrees with the others on who proposes.
func turns(t Trust, height int64) (now, next *types.ValidatorSet, err error) {
	next = engineSet(t.Sets[0].Validators)
	at := int64(1) // the height of next
	for i := 1; i < len(t.Sets) && t.Sets[i].From <= height+1; i++ {
		rotate(next, t.Sets[i].From-1-at)
		now, at = next.Copy(), t.Sets[i].From
		changes, err := types.PB2TM.ValidatorUpdates(difference(t.Sets[i-1].Validators, t.Sets[i].Validators))
		if err == nil {
			err = next.UpdateWithChangeSet(changes)
		}
		if err != nil {
			return nil, nil, err
		}
		next.IncrementProposerPriority(1)
	}
	if at <= height {
		now = rotate(next, height+1-at)
	}
	return now, next, nil
}

// rotate moves a set on by that many heights and gives what it was one height
// before that. Turns repeat: once they do, whole rounds are left out (Brent's
// way to find a cycle).
func rotate(set *types.ValidatorSet, heights int64) (before *types.ValidatorSet) {
	mark, lap, next := priorities(set), int64(0), int64(1)
	for ; heights > 0; heights-- {
		if heights == 1 {
			before = set.Copy()
		}
		set.IncrementProposerPriority(1)
		if mark == nil {
			continue
		}
		lap++
		if now := priorities(set); slices.Equal(now, mark) {
			// One more round is walked: the first may begin before the cycle.
			heights = min(heights, (heights-1)%lap+lap+1)
			mark = nil
		} else if lap == next {
			mark, lap, next = now, 0, 2*next
		}
	}
	return before
}

func priorities(set *types.ValidatorSet) []int64 {
	out := make([]int64, len(set.Validators))
	for i, v := range set.Validators {
		out[i] = v.ProposerPriority
	}
	return out
}
