package feed

import "math"

// span is the part [lo, hi) of a feed's order.
type span struct{ lo, hi Position }

// whole is the span of everything.
var whole = span{Position{}, end}

func (s span) empty() bool { return s.lo.Compare(s.hi) >= 0 }

func (s span) contains(p Position) bool {
	return s.lo.Compare(p) <= 0 && p.Compare(s.hi) < 0
}

// next is the smallest position behind p.
func (p Position) next() Position {
	for i := len(p.ID) - 1; i >= 0; i-- {
		if p.ID[i]++; p.ID[i] != 0 {
			return p
		}
	}
	if p.Height == math.MaxUint64 {
		return end
	}
	return Position{Height: p.Height + 1}
}
