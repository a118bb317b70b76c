package feed

import "intercom/core/fault"

// The messages of a sync stream. The peer that opened the stream asks, the
// other one answers, strictly in turns:
//
//	hello                 → welcome: same heads, so the same entries; or the
//	                        first answer, about everything
//	compare spans         → answers, one for each of the first spans: the
//	                        entries there, or fingerprints of smaller spans
//	get spans and entries → entries, in order, as many as fit
//	put entries           → ack
//	want entries          → entries and what is behind them; instead of hello
//	bye                   ends the stream
//
// failure may stand for any answer, and ends the stream. A message is a 4-byte
// length, a byte for its kind and its fields; there is one encoding of each.
const (
	kindHello   = 1
	kindCompare = 2
	kindGet     = 3
	kindPut     = 4
	kindWant    = 5
	kindBye     = 6
	kindWelcome = 17
	kindAnswers = 18
	kindEntries = 19
	kindAck     = 20
	kindFailure = 21
)

// The bounds of one message.
const (
	version     = 1
	maxTerms    = 4 << 10
	maxText     = 256
	maxKind     = 16
	maxSpans    = 1024            // asked for at once
	maxPieces   = 512             // of one answer
	maxListed   = 256             // positions in one answer
	maxHave     = 64              // of want
	answersFull = 256 << 10       // bytes of answers after which no more spans are answered
	entriesFull = 1 << 20         // bytes of entries in one message
	maxMessage  = 1<<20 + 128<<10 // bytes of any message
)

type message interface {
	kind() byte
	encode(w *encoder)
}

type hello struct {
	feed  FeedID
	heads [32]byte // SHA-256 of the heads' ids
	terms []byte   // what the owners of the feed must agree on
}

type welcome struct {
	same  bool
	terms []byte
	first answer // about everything, unless same
}

type compare struct{ spans []span }

type answers struct{ all []answer }

// answer tells what the answering peer has in a span: its entries, or pieces
// that cover the span.
type answer struct {
	pieces []piece
	listed []Position // when there are no pieces
}

// count is how many entries the answering peer says it has in the span.
func (a answer) count() uint64 {
	n := uint64(len(a.listed))
	for _, p := range a.pieces {
		n += p.count
	}
	return n
}

// piece is a part of a span, from where the piece before it ended.
type piece struct {
	hi    Position // of the last piece: the span's end, not sent
	count uint64
	sum   [32]byte
}

type get struct{ items []span } // ascending, disjoint; one entry is a span too

type put struct{ entries [][]byte }

type want struct {
	feed FeedID
	ids  []ID // entries wanted with what is behind them
	have []ID // entries that the asking peer has, with all behind them
}

type bye struct{}

type entries struct {
	more bool // not everything asked for fitted
	raw  [][]byte
}

type ack struct{ stored, known, waiting, refused uint64 }

type failure struct {
	why  fault.Kind
	text string
}

func (hello) kind() byte   { return kindHello }
func (welcome) kind() byte { return kindWelcome }
func (compare) kind() byte { return kindCompare }
func (answers) kind() byte { return kindAnswers }
func (get) kind() byte     { return kindGet }
func (put) kind() byte     { return kindPut }
func (want) kind() byte    { return kindWant }
func (bye) kind() byte     { return kindBye }
func (entries) kind() byte { return kindEntries }
func (ack) kind() byte     { return kindAck }
func (failure) kind() byte { return kindFailure }

func (m hello) encode(w *encoder) {
	w.byte(version)
	w.hash(m.feed)
	w.hash(m.heads)
	w.bytes(m.terms)
}

func (m welcome) encode(w *encoder) {
	w.flag(m.same)
	w.bytes(m.terms)
	if !m.same {
		m.first.encode(w)
	}
}

func (m compare) encode(w *encoder) { encodeSpans(w, m.spans) }
func (m get) encode(w *encoder)     { encodeSpans(w, m.items) }

func encodeSpans(w *encoder, spans []span) {
	for _, s := range spans {
		w.span(s)
	}
}

func (m answers) encode(w *encoder) {
	for _, a := range m.all {
		a.encode(w)
	}
}

func (a answer) encode(w *encoder) {
	w.uint(uint64(len(a.pieces)))
	for i, p := range a.pieces {
		if i < len(a.pieces)-1 {
			w.bound(p.hi)
		}
		w.uint(p.count)
		w.hash(p.sum)
	}
	if len(a.pieces) == 0 {
		w.uint(uint64(len(a.listed)))
		for _, at := range a.listed {
			w.position(at)
		}
	}
}

func (m put) encode(w *encoder)     { encodeEntries(w, m.entries) }
func (m entries) encode(w *encoder) { w.flag(m.more); encodeEntries(w, m.raw) }

func encodeEntries(w *encoder, raw [][]byte) {
	for _, e := range raw {
		w.bytes(e)
	}
}

func (m want) encode(w *encoder) {
	w.byte(version)
	w.hash(m.feed)
	for _, ids := range [][]ID{m.ids, m.have} {
		w.uint(uint64(len(ids)))
		for _, id := range ids {
			w.hash(id)
		}
	}
}

func (bye) encode(*encoder) {}

func (m ack) encode(w *encoder) {
	for _, n := range []uint64{m.stored, m.known, m.waiting, m.refused} {
		w.uint(n)
	}
}

func (m failure) encode(w *encoder) {
	w.bytes([]byte(m.why))
	w.bytes([]byte(m.text))
}
