package plan

import (
	"math/bits"

	"intercom/intersplit/money"
)

// MaxExact is the most members that are divided exactly: 2^23 subsets, 8 MiB and
// a fraction of a second.
const MaxExact = 24

// divide splits members, whose balances add up to zero, into the greatest number
// of even groups, and picks the canonical division.
func divide(members []Balance) [][]Balance {
	if len(members) == 0 {
		return nil
	}
	s := newSubsets(members)
	var groups [][]Balance
	for open := uint32(1)<<len(members) - 1; open != 0; {
		group := s.firstGroup(open)
		groups = append(groups, s.pick(group))
		open &^= group
	}
	return groups
}

// subsets knows for every subset how many even groups fit into it. A subset is a
// set of bits, the member first in name order the lowest.
//
// The member last in name order is left out of the table. An even subset with it
// holds one group more than the same subset without it: taking any member away
// breaks exactly one group.
type subsets struct {
	members []Balance
	most    []uint8     // disjoint even groups in a subset
	low     []money.Sum // sums of the subsets of the lower half of the members
	minusHi []money.Sum // negated sums of the subsets of the upper half
	half    int
}

func newSubsets(members []Balance) *subsets {
	s := &subsets{members: members, half: len(members) / 2}
	s.low = sums(members[:s.half])
	s.minusHi = sums(members[s.half:])
	for i, sum := range s.minusHi {
		s.minusHi[i] = sum.Neg()
	}
	s.most = make([]uint8, 1<<(len(members)-1))
	for set := uint32(1); set < uint32(len(s.most)); set++ {
		if s.even(set) {
			s.most[set] = 1 + s.most[set&(set-1)]
			continue
		}
		var most uint8
		for rest := set; rest != 0; rest &= rest - 1 {
			most = max(most, s.most[set&^(rest&-rest)])
		}
		s.most[set] = most
	}
	return s
}

// sums gives the sum of every subset.
func sums(members []Balance) []money.Sum {
	all := make([]money.Sum, 1<<len(members))
	for set := 1; set < len(all); set++ {
		lowest := bits.TrailingZeros(uint(set))
		all[set] = all[set&(set-1)].Plus(members[lowest].Amount)
	}
	return all
}

func (s *subsets) even(set uint32) bool {
	return s.low[set&(1<<s.half-1)] == s.minusHi[set>>s.half]
}

// groups is how many groups an even subset divides into.
func (s *subsets) groups(even uint32) uint8 {
	last := uint32(1) << (len(s.members) - 1)
	if even&last != 0 {
		return 1 + s.most[even&^last]
	}
	return s.most[even]
}

// firstGroup is the canonical group of the first open member: the smallest, then
// the first in name order, that leaves the greatest number of groups for the rest.
func (s *subsets) firstGroup(open uint32) uint32 {
	first := open & -open
	others := open &^ first
	want := s.groups(open) - 1
	best := open
	for set := others; ; set = (set - 1) & others {
		group := set | first
		if before(group, best) && s.even(group) && s.groups(open&^group) == want {
			best = group
		}
		if set == 0 {
			return best
		}
	}
}

// before orders groups by size, then by the names in them.
func before(a, b uint32) bool {
	if x, y := bits.OnesCount32(a), bits.OnesCount32(b); x != y {
		return x < y
	}
	differ := a ^ b
	return a&(differ&-differ) != 0
}

func (s *subsets) pick(group uint32) []Balance {
	picked := make([]Balance, 0, bits.OnesCount32(group))
	for ; group != 0; group &= group - 1 {
		picked = append(picked, s.members[bits.TrailingZeros32(group)])
	}
	return picked
}
