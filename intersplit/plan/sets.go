package plan

import (
	"math"
	"math/bits"
	"slices"

	"intercom/intersplit/money"
)

// Bounds of the search for even sets beyond [MaxExact] members. They are counts,
// so that every peer stops at the same place, however fast it is.
const (
	maxHalves = 1 << 20 // parts of sets that are kept to be joined
	maxJoins  = 1 << 22 // pairs of parts that are compared
	maxSets   = 1 << 16 // even sets that are kept
)

// set is an even set of members by their index, ascending, without an even part.
type set []uint16

// smallSets finds the small even sets by meeting in the middle: a set of t members
// is its first t/2 joined with the others, whose sum is the opposite. They come by
// size, then by name. complete is the size up to which none is missing; parts are
// at least two members, since pairs are settled before.
func smallSets(members []Balance) (sets []set, complete int) {
	if len(members) > math.MaxUint16 {
		return nil, 2
	}
	parts := []*part{nil, single(members)}
	kept := len(members)
	complete = 2
	joins := 0
	for size := 3; size < len(members); size++ {
		lower, upper := size/2, size-size/2
		if upper == len(parts) {
			next := parts[upper-1].grow(members, maxHalves-kept)
			if next == nil {
				return sets, complete
			}
			kept += next.len()
			parts = append(parts, next)
		}
		found, all := join(parts[lower], parts[upper], members, &joins, maxSets-len(sets))
		sets = append(sets, found...)
		if !all {
			return sets, complete
		}
		complete = size
	}
	return sets, complete
}

// part is all subsets of one size, in name order.
type part struct {
	size    int
	sums    []money.Sum
	members []uint16 // size for each subset, ascending

	first []int32 // an index of the sums: chains by their hash, made when needed
	next  []int32
}

func single(members []Balance) *part {
	p := &part{size: 1}
	for i, m := range members {
		p.sums = append(p.sums, m.Amount)
		p.members = append(p.members, uint16(i))
	}
	return p
}

func (p *part) len() int           { return len(p.sums) }
func (p *part) at(i int) []uint16  { return p.members[i*p.size : (i+1)*p.size] }
func (p *part) greatest(i int) int { return int(p.members[(i+1)*p.size-1]) }

// grow adds every later member to every subset, unless that makes more than most.
func (p *part) grow(members []Balance, most int) *part {
	count := 0
	for i := range p.sums {
		if count += len(members) - 1 - p.greatest(i); count > most {
			return nil
		}
	}
	grown := &part{size: p.size + 1, sums: make([]money.Sum, 0, count), members: make([]uint16, 0, count*(p.size+1))}
	for i, sum := range p.sums {
		for m := p.greatest(i) + 1; m < len(members); m++ {
			grown.sums = append(grown.sums, sum.Plus(members[m].Amount))
			grown.members = append(append(grown.members, p.at(i)...), uint16(m))
		}
	}
	return grown
}

// index chains the subsets by the hash of their sum, the first in front.
func (p *part) index() {
	if p.first != nil {
		return
	}
	buckets := 1
	for buckets < p.len() {
		buckets *= 2
	}
	p.first, p.next = slices.Repeat([]int32{-1}, buckets), make([]int32, p.len())
	for i := p.len() - 1; i >= 0; i-- {
		at := p.sums[i].Hash() & uint64(buckets-1)
		p.next[i], p.first[at] = p.first[at], int32(i)
	}
}

// join finds the even sets whose first members are in lower and whose others are
// in upper. all is false when a bound ended it early.
func join(lower, upper *part, members []Balance, joins *int, most int) (found []set, all bool) {
	upper.index()
	for i, sum := range lower.sums {
		opposite := sum.Neg()
		for at := upper.first[opposite.Hash()&uint64(len(upper.first)-1)]; at >= 0; at = upper.next[at] {
			if *joins++; *joins > maxJoins {
				return found, false
			}
			others := upper.at(int(at))
			if upper.sums[at] != opposite || lower.greatest(i) >= int(others[0]) {
				continue
			}
			joined := slices.Concat(lower.at(i), others)
			if divisible(joined, members) {
				continue
			}
			if len(found) == most {
				return found, false
			}
			found = append(found, joined)
		}
	}
	slices.SortFunc(found, func(a, b set) int { return slices.Compare(a, b) })
	return found, true
}

// divisible tells whether an even set has an even part. One half of every
// division lacks the last member, so the parts without it are all there is to try;
// a Gray code changes one member at a time.
func divisible(s set, members []Balance) bool {
	var sum money.Sum
	in := 0
	for step := 1; step < 1<<(len(s)-1); step++ {
		at := bits.TrailingZeros(uint(step))
		amount := members[s[at]].Amount
		if in>>at&1 == 1 {
			amount = amount.Neg()
		}
		in ^= 1 << at
		if sum = sum.Plus(amount); sum.Sign() == 0 && in != 0 {
			return true
		}
	}
	return false
}
