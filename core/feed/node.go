package feed

// node is a part of the order in which the two peers may differ: open while it
// is not known how, and then what to fetch there and what to send.
type node struct {
	span
	depth int // how often the other peer divided it
	open  bool
	pull  []span
	push  []span
}

// absorb appends what an answer about a node turns it into.
func (y *syncing) absorb(work []node, n node, a answer) ([]node, error) {
	if len(a.pieces) == 0 {
		return y.absorbList(work, n, a.listed)
	}
	if n.depth == maxDepth {
		return nil, broke("fingerprints without end")
	}
	y.parts += len(a.pieces)
	lo := n.lo
	for i, p := range a.pieces {
		if i == len(a.pieces)-1 {
			p.hi = n.hi
		}
		part := span{lo, p.hi}
		if part.empty() || p.hi.Compare(n.hi) > 0 {
			return nil, broke("fingerprints of parts that are none")
		}
		lo = p.hi
		sum, count, err := y.f.fingerprint(y.feed, part)
		if err != nil {
			return nil, err
		}
		if sum == p.sum {
			continue
		}
		child := node{span: part, depth: n.depth + 1}
		switch {
		case count == 0:
			child.pull = []span{part}
		case p.count == 0:
			child.push = []span{part}
		default:
			child.open = true
		}
		work = append(work, child)
	}
	return work, nil
}

// absorbList compares entry by entry: what the other peer lists and this one
// lacks is to be fetched; what lies between two listed ones is to be sent.
func (y *syncing) absorbList(work []node, n node, listed []Position) ([]node, error) {
	n.open = false
	lo, rest := n.lo, listed
	gap := func(hi Position) {
		if len(n.push) > 0 && n.push[len(n.push)-1].lo == lo {
			return
		}
		n.push = append(n.push, span{lo, hi})
	}
	for i, at := range listed {
		if !n.contains(at) || i > 0 && at.Compare(listed[i-1]) <= 0 {
			return nil, broke("a list that is not in order")
		}
		ok, err := y.knows(at.ID)
		if err != nil {
			return nil, err
		}
		if !ok {
			n.pull = append(n.pull, span{at, at.next()})
		}
	}
	err := y.f.scanOrder(y.feed, n.span, func(at Position) bool {
		for len(rest) > 0 && rest[0].Compare(at) < 0 {
			lo, rest = rest[0].next(), rest[1:]
		}
		if len(rest) == 0 || rest[0] != at {
			hi := n.hi
			if len(rest) > 0 {
				hi = rest[0]
			}
			gap(hi)
		}
		return true
	})
	if err != nil || len(n.pull)+len(n.push) == 0 {
		return work, err
	}
	return append(work, n), nil
}

// knows tells whether an entry need not be fetched.
func (y *syncing) knows(id ID) (bool, error) {
	if y.f.parked.has(y.feed, id) || y.f.held.has(y.feed, id) {
		return true, nil
	}
	_, known, err := y.f.kin(y.feed, id)
	return known, err
}
