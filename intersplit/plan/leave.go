package plan

import "slices"

// leaving chooses who is left over, of divisions with equally many groups. The
// members left over are the group of the first of them, so the rule wants them to
// be the fewest, then the first in name order, before it looks at later members.
type leaving struct {
	*packing
	rest  []uint16 // the members left over so far
	least []uint16 // of the best division
	best  []set    // which is this one
	tries int
}

// leave gives the rule's division among those that agree with a packing on the
// groups before the first member left over. ok is false when the search was ended
// by its bound.
func (p *packing) leave(packed []set) (best []set, ok bool) {
	rest := p.outside(packed)
	if len(rest) == 0 {
		return packed, true
	}
	first := int(rest[0])
	l := &leaving{packing: p, least: rest, best: packed}
	p.chosen = nil
	clear(p.used)
	need := 0
	for _, s := range packed {
		if int(s[0]) < first {
			p.mark(s, true)
			p.chosen = append(p.chosen, s)
		} else {
			need++
		}
	}
	var open uint64
	for m, used := range p.used {
		if !used {
			open += p.weight[m]
		}
	}
	l.rest = append(l.rest, uint16(first))
	l.search(first+1, need, open-p.weight[first])
	return l.best, l.tries <= maxTries
}

// outside lists the members in none of the sets.
func (p *packing) outside(sets []set) (rest []uint16) {
	in := make([]bool, len(p.used))
	for _, s := range sets {
		for _, m := range s {
			in[m] = true
		}
	}
	for m, in := range in {
		if !in {
			rest = append(rest, uint16(m))
		}
	}
	return rest
}

// search decides for the first open member, as [packing.search] does, until need
// more sets are chosen. open is what the open members can add.
func (l *leaving) search(from, need int, open uint64) {
	for from < len(l.used) && l.used[from] {
		from++
	}
	if l.tries++; l.tries > maxTries || len(l.rest) > len(l.least) || int(open/unit) < need {
		return
	}
	if need == 0 {
		l.arrive(from)
		return
	}
	if from == len(l.used) {
		return
	}
	for _, s := range l.byFirst[from] {
		if l.tries++; l.tries > maxTries {
			return
		}
		if !l.free(s) {
			continue
		}
		taken := l.mark(s, true)
		l.chosen = append(l.chosen, s)
		l.search(from+1, need-1, open-taken)
		l.chosen = l.chosen[:len(l.chosen)-1]
		l.mark(s, false)
	}
	l.rest = append(l.rest, uint16(from))
	l.search(from+1, need, open-l.weight[from])
	l.rest = l.rest[:len(l.rest)-1]
}

// arrive keeps a division that leaves fewer members over, or earlier ones.
func (l *leaving) arrive(from int) {
	rest := slices.Clone(l.rest)
	for m := from; m < len(l.used); m++ {
		if !l.used[m] {
			rest = append(rest, uint16(m))
		}
	}
	if len(rest) < len(l.least) || len(rest) == len(l.least) && slices.Compare(rest, l.least) < 0 {
		l.least, l.best = rest, slices.Clone(l.chosen)
	}
}
