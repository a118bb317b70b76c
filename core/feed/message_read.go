package feed

import (
	"slices"

	"intercom/core/fault"
)

// decodeMessage reads the one encoding of a message.
func decodeMessage(kind byte, raw []byte) (message, error) {
	r := &decoder{in: raw}
	var m message
	switch kind {
	case kindHello:
		r.version()
		m = hello{FeedID(r.hash()), r.hash(), slices.Clone(r.bytes(maxTerms))}
	case kindWelcome:
		m = r.welcome()
	case kindCompare:
		m = compare{r.spans()}
	case kindAnswers:
		m = r.answers()
	case kindGet:
		m = get{r.spans()}
	case kindPut:
		m = put{r.entries()}
	case kindWant:
		r.version()
		m = want{FeedID(r.hash()), r.ids(MaxWanted), r.ids(maxHave)}
	case kindBye:
		m = bye{}
	case kindEntries:
		m = entries{r.flag(), r.entries()}
	case kindAck:
		m = ack{r.uint(), r.uint(), r.uint(), r.uint()}
	case kindFailure:
		m = r.failure()
	default:
		return nil, broke("a message of kind %d", kind)
	}
	if r.broken || r.more() {
		return nil, broke("a message of kind %d in a wrong form", kind)
	}
	return m, nil
}

func (r *decoder) version() {
	if r.byte() != version {
		r.fail()
	}
}

func (r *decoder) welcome() welcome {
	m := welcome{same: r.flag(), terms: slices.Clone(r.bytes(maxTerms))}
	if !m.same {
		m.first = r.answer()
	}
	return m
}

// spans reads at least one span, ascending and disjoint.
func (r *decoder) spans() []span {
	var spans []span
	for first := true; first || r.more(); first = false {
		s := r.span()
		if len(spans) == maxSpans || len(spans) > 0 && s.lo.Compare(spans[len(spans)-1].hi) < 0 {
			r.fail()
			return nil
		}
		spans = append(spans, s)
	}
	return spans
}

func (r *decoder) answers() answers {
	var m answers
	for first := true; first || r.more(); first = false {
		if len(m.all) == maxSpans {
			r.fail()
		}
		m.all = append(m.all, r.answer())
	}
	return m
}

func (r *decoder) answer() answer {
	var a answer
	n := r.uint()
	if n > maxPieces {
		r.fail()
	}
	for i := uint64(0); i < n && !r.broken; i++ {
		var p piece
		if i < n-1 {
			p.hi = r.bound()
		}
		p.count, p.sum = r.uint(), r.hash()
		a.pieces = append(a.pieces, p)
	}
	if n > 0 {
		return a
	}
	listed := r.uint()
	if listed > maxListed {
		r.fail()
	}
	for i := uint64(0); i < listed && !r.broken; i++ {
		a.listed = append(a.listed, r.position())
	}
	return a
}

// entries reads what may be encodings of entries by its size. They are valid as
// long as the message.
func (r *decoder) entries() [][]byte {
	var all [][]byte
	for r.more() {
		raw := r.bytes(MaxEntry)
		if len(raw) < fixedSize {
			r.fail()
			return nil
		}
		all = append(all, raw)
	}
	return all
}

func (r *decoder) ids(limit uint64) []ID {
	n := r.uint()
	if n > limit {
		r.fail()
	}
	var ids []ID
	for i := uint64(0); i < n && !r.broken; i++ {
		ids = append(ids, r.hash())
	}
	return ids
}

func (r *decoder) failure() failure {
	m := failure{fault.Kind(r.bytes(maxKind)), string(r.bytes(maxText))}
	if !slices.Contains(fault.Kinds, m.why) {
		r.fail()
	}
	return m
}
