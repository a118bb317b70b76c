package plan

// maxTries bounds the packing: how many steps it takes.
const maxTries = 1 << 22

// packing chooses disjoint even sets, as many as it can. Members in no chosen set
// are left over; together they are even as well.
type packing struct {
	byFirst [][]set // sets by their first member, each list in the rule's order
	whole   int     // sizes up to here miss no set, so groups of the rest are larger

	weight []uint64 // what each member can add to the number of groups, in units
	goal   int      // no division has more groups

	used   []bool
	chosen []set
	best   []set
	most   int // groups of best, the members left over being one
	hope   int // groups that the members left over may add up to where it is not known
	tries  int
}

// unit is a whole group. A member of a group of s members adds unit/s, rounded up.
const unit = 360360

func share(size int) uint64 { return (unit + uint64(size) - 1) / uint64(size) }

// pack packs sets of members. No division of the members has more than goal
// groups; bound is what is known after the search.
func pack(members int, sets []set, whole, goal int) (best []set, bound int) {
	p := &packing{
		byFirst: make([][]set, members), weight: make([]uint64, members), used: make([]bool, members), whole: whole,
	}
	for i := range p.weight {
		p.weight[i] = share(whole + 1)
	}
	for _, s := range sets {
		p.byFirst[s[0]] = append(p.byFirst[s[0]], s)
		for _, m := range s {
			p.weight[m] = max(p.weight[m], share(len(s)))
		}
	}
	var open uint64
	for _, w := range p.weight {
		open += w
	}
	p.goal = min(goal, int(open/unit))
	p.search(0, 0, open)
	bound = min(p.goal, max(p.most, p.hope))
	if p.tries > maxTries {
		bound = p.goal
	}
	if p.most == bound { // otherwise no division is the rule's for certain
		if least, ok := p.leave(p.best); ok {
			return least, bound
		}
	}
	return p.best, bound
}

// search decides for the first open member: which of its sets, smallest first, or
// none. open is what the members that are not in a chosen set can add.
func (p *packing) search(from, left int, open uint64) {
	for from < len(p.used) && p.used[from] {
		from++
	}
	if p.tries++; p.tries > maxTries || p.most == p.goal || len(p.chosen)+int(open/unit) <= p.most {
		return
	}
	if from == len(p.used) {
		p.arrive(left)
		return
	}
	for _, s := range p.byFirst[from] {
		if p.tries++; p.tries > maxTries {
			return
		}
		if !p.free(s) {
			continue
		}
		taken := p.mark(s, true)
		p.chosen = append(p.chosen, s)
		p.search(from+1, left, open-taken)
		p.chosen = p.chosen[:len(p.chosen)-1]
		p.mark(s, false)
	}
	p.search(from+1, left+1, open-p.weight[from]+share(p.whole+1))
}

// arrive keeps a division that has more groups than the best one.
func (p *packing) arrive(left int) {
	groups := len(p.chosen) + min(left, 1)
	p.hope = max(p.hope, len(p.chosen)+left/(p.whole+1))
	if groups > p.most {
		p.most, p.best = groups, append([]set(nil), p.chosen...)
	}
}

func (p *packing) free(s set) bool {
	for _, m := range s {
		if p.used[m] {
			return false
		}
	}
	return true
}

func (p *packing) mark(s set, used bool) (weight uint64) {
	for _, m := range s {
		p.used[m] = used
		weight += p.weight[m]
	}
	return weight
}
