package merkle

import "bytes"

// A View is one committed version. It may be read from any goroutine, for as
// long as its version is kept; after that its reads fail.
type View struct {
	nodes  *nodes
	record record
}

// Root is the hash of everything in this version.
func (v *View) Root() Hash { return v.record.root.sum() }

// Version is the number that it was written under, 0 for a map never written.
func (v *View) Version() uint64 { return v.record.version }

// Get reads one value; ok tells whether it is there. The value is the caller's.
func (v *View) Get(key []byte) (value []byte, ok bool, err error) {
	value, ok, err = v.nodes.get(v.record.root, pathOf(key))
	return bytes.Clone(value), ok, err
}

// get follows the path from a root. The value is shared.
func (n *nodes) get(at ref, path Hash) (value []byte, ok bool, err error) {
	for level := 0; at.kind == inner; level++ {
		p, err := n.page(&at)
		if err != nil {
			return nil, false, err
		}
		at = p[path.nibble(level)]
	}
	if at.kind == none {
		return nil, false, nil
	}
	e, err := n.entry(&at)
	if err != nil || e.path != path {
		return nil, false, err
	}
	return e.value, true, nil
}

// Prove gives the value of a key, if it has one, and the proof of what it says,
// for [VerifyPresent] or [VerifyAbsent] under this version's root. A proof has
// about 33 bytes for each doubling of the number of keys.
func (v *View) Prove(key []byte) (value []byte, ok bool, proof []byte, err error) {
	path := pathOf(key)
	var p proved
	at := v.record.root
	for level := 0; at.kind == inner; level++ {
		page, err := v.nodes.page(&at)
		if err != nil {
			return nil, false, nil, err
		}
		at = page.descend(path.nibble(level), &p)
	}
	if at.kind == none {
		p.end = endEmpty
		return nil, false, p.encode(), nil
	}
	e, err := v.nodes.entry(&at)
	if err != nil {
		return nil, false, nil, err
	}
	if e.path != path {
		p.end, p.path, p.value = endOther, e.path, valueHash(e.value)
		return nil, false, p.encode(), nil
	}
	return bytes.Clone(e.value), true, p.encode(), nil
}

// descend goes down a page towards a place, notes what it passes, and gives what
// it comes to: a leaf, nothing, or a further page.
func (p *page) descend(place int, passed *proved) ref {
	lo, hi := 0, len(p)
	for hi-lo > 1 {
		if kind, _ := p.node(lo, hi); kind != inner {
			break
		}
		mid := (lo + hi) / 2
		besideLo, besideHi := mid, hi
		if place >= mid {
			besideLo, besideHi = lo, mid
		}
		_, hash := p.node(besideLo, besideHi)
		passed.siblings = append(passed.siblings, hash)
		if place < mid {
			hi = mid
		} else {
			lo = mid
		}
	}
	for ; lo < hi; lo++ { // at most one leaf is left, which may not be at the place
		if p[lo].kind != none {
			return p[lo]
		}
	}
	return ref{}
}

// Scan visits every key with its value in the order of the hashes of the keys,
// until visit answers false. It begins behind the key after, which need not be
// there; nil begins at the first. Key and value are valid during the visit only.
func (v *View) Scan(after []byte, visit func(key, value []byte) (more bool)) error {
	from := place{}
	if after != nil {
		from = place{path: pathOf(after), behind: true}
	}
	_, err := v.nodes.scan(v.record.root, 0, from, visit)
	return err
}

// place is where a scan begins; the zero place is the beginning.
type place struct {
	path   Hash
	behind bool
}

func (n *nodes) scan(at ref, level int, from place, visit func(key, value []byte) bool) (more bool, err error) {
	switch at.kind {
	case none:
		return true, nil
	case leaf:
		e, err := n.entry(&at)
		if err != nil {
			return false, err
		}
		if from.behind && compare(e.path, from.path) <= 0 {
			return true, nil
		}
		return visit(e.key, e.value), nil
	}
	p, err := n.page(&at)
	if err != nil {
		return false, err
	}
	first := 0
	if from.behind {
		first = from.path.nibble(level)
	}
	for i := first; i < len(p); i++ {
		start := from
		if i > first {
			start = place{} // all of it lies behind
		}
		if more, err := n.scan(p[i], level+1, start, visit); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}
