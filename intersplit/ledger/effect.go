package ledger

import (
	"container/heap"
	"slices"
)

// doubt notes that an entry's validity may have changed.
func (l *Ledger) doubt(e *Entry) {
	if l.undo(e.ID) || e.Body.Kind == KindUndo {
		heap.Push(&l.doubtful, e)
		return
	}
	l.judge(e) // most entries: nobody names them
}

// undo says whether any undo names the entry, in effect or not.
func (l *Ledger) undo(id ID) bool { return len(l.undos[id]) > 0 }

// refresh works out what has changed since somebody looked.
func (l *Ledger) refresh() {
	for l.doubtful.Len() > 0 {
		l.judge(heap.Pop(&l.doubtful).(*Entry))
	}
	for i := range l.veils {
		l.drape(i)
	}
	for len(l.changed) > 0 {
		s := l.changed[len(l.changed)-1]
		l.changed = l.changed[:len(l.changed)-1]
		l.settle(s)
	}
	if l.names == nil {
		l.names = settleNames(l.acting(KindRename))
	}
}

// judge decides whether an entry is valid. An undo stands above the entry that it
// names, and the highest are judged first: so each is judged once, however long
// the chain.
func (l *Ledger) judge(e *Entry) {
	valid := !slices.ContainsFunc(l.undos[e.ID], func(u *Entry) bool { return u.valid && u.Height > e.Height })
	if valid == e.valid {
		return
	}
	e.valid = valid
	switch kind := e.Body.Kind; {
	case kind == KindUndo:
		if target, here := l.byID[e.Body.Mark.Target]; here {
			heap.Push(&l.doubtful, target)
		}
	case e.subject != nil:
		l.change(e.subject)
	case kind == KindClear:
		l.veils[veilClear].turn(e)
	case kind == KindClose:
		l.veils[veilClose].turn(e)
	default:
		l.names = nil
	}
}

// waiting is entries to be judged, the highest first.
type waiting []*Entry

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return Compare(w[i], w[j]) > 0 }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push and Pop are the heap's own.
func (w *waiting) Push(x any) { *w = append(*w, x.(*Entry)) }

// Pop takes the last element.
func (w *waiting) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}

// What hides entries from their ancestors' descendants: a clear takes them out of
// effect, a close out of totals and lists.
const (
	veilClear = iota
	veilClose
)

// veil is the clears, or the closes, of a room.
type veil struct {
	kind  Kind
	all   []*Entry
	fresh []*Entry // in effect, and their ancestors not yet covered
	torn  bool     // one went out of effect: all is worked out anew
}

func (v *veil) turn(e *Entry) {
	if e.valid {
		v.fresh = append(v.fresh, e)
	} else {
		v.torn = true
	}
}

// drape covers the ancestors of each clear in effect: what its author knew, and
// nothing that was added meanwhile. The ancestors of a covered entry are covered
// as well, so the walk stops there and all clears together walk each entry once.
func (l *Ledger) drape(i int) {
	v := &l.veils[i]
	if !v.torn {
		for _, e := range v.fresh {
			l.cover(e, i, l.veil)
		}
		v.fresh = nil
		return
	}
	before := make([]bool, len(l.entries))
	for at, e := range l.entries {
		before[at], e.veiled[i] = e.veiled[i], false
	}
	for _, e := range v.all {
		if e.valid {
			l.cover(e, i, func(*Entry) {})
		}
	}
	for at, e := range l.entries {
		if e.veiled[i] != before[at] {
			l.veil(e)
		}
	}
	v.fresh, v.torn = nil, false
}

func (l *Ledger) cover(by *Entry, i int, covered func(e *Entry)) {
	l.walk(by.index, func(e *Entry) bool {
		if e.veiled[i] {
			return false
		}
		e.veiled[i] = true
		covered(e)
		return true
	})
}

// veil notes that an entry was covered, or is no longer.
func (l *Ledger) veil(e *Entry) {
	switch {
	case e.subject != nil:
		l.change(e.subject)
	case e.Body.Kind == KindRename, e.Body.Kind == KindMerge, e.Body.Kind == KindLeave, e.Body.Kind == KindUnit:
		l.names = nil
	}
}
