package money

// Hash spreads sums over 64 bits. It is the same on every machine and in every
// run: what is counted by it is counted alike everywhere.
func (s Sum) Hash() uint64 {
	const odd = 0x9e3779b97f4a7c15
	x := (s.lo ^ uint64(s.hi)*odd) * odd
	return (x ^ x>>32) * odd >> 16
}
