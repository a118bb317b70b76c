package feed

import (
	"encoding/binary"
	"math"

	"intercom/core/fault"
)

// encoder writes the fields of a message.
type encoder struct{ out []byte }

func (w *encoder) byte(b byte)     { w.out = append(w.out, b) }
func (w *encoder) hash(h [32]byte) { w.out = append(w.out, h[:]...) }
func (w *encoder) uint(n uint64)   { w.out = binary.AppendUvarint(w.out, n) }
func (w *encoder) bytes(b []byte)  { w.uint(uint64(len(b))); w.out = append(w.out, b...) }

func (w *encoder) flag(on bool) {
	if on {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

func (w *encoder) position(p Position) {
	w.uint(p.Height)
	w.hash(p.ID)
}

// bound writes an end of a span without the zeros at the end of its id, which
// is most of it.
func (w *encoder) bound(p Position) {
	size := len(p.ID)
	for size > 0 && p.ID[size-1] == 0 {
		size--
	}
	w.uint(p.Height)
	w.bytes(p.ID[:size])
}

func (w *encoder) span(s span) {
	w.bound(s.lo)
	w.bound(s.hi)
}

// decoder reads the fields of a message. After one that is not in its one form
// it is broken, is empty and gives zeros.
type decoder struct {
	in     []byte
	broken bool
}

func (r *decoder) fail() {
	r.in, r.broken = nil, true
}

// more tells whether something is left.
func (r *decoder) more() bool { return len(r.in) > 0 }

// take gives the next bytes, valid as long as the message.
func (r *decoder) take(size int) []byte {
	if size > len(r.in) {
		r.fail()
		return nil
	}
	field := r.in[:size]
	r.in = r.in[size:]
	return field
}

func (r *decoder) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *decoder) flag() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

func (r *decoder) hash() (h [32]byte) {
	copy(h[:], r.take(len(h)))
	return h
}

// uint reads a number in its shortest form.
func (r *decoder) uint() uint64 {
	n, size := binary.Uvarint(r.in)
	if size <= 0 || size > 1 && r.in[size-1] == 0 {
		r.fail()
		return 0
	}
	r.in = r.in[size:]
	return n
}

// bytes reads a field of at most that many bytes.
func (r *decoder) bytes(limit int) []byte {
	size := r.uint()
	if size > uint64(limit) {
		r.fail()
		return nil
	}
	return r.take(int(size))
}

func (r *decoder) position() Position {
	return Position{r.height(), r.hash()}
}

func (r *decoder) height() uint64 {
	height := r.uint()
	if height >= numbersBelow && height != math.MaxUint64 {
		r.fail()
	}
	return height
}

func (r *decoder) bound() Position {
	p := Position{Height: r.height()}
	id := r.bytes(len(p.ID))
	if len(id) > 0 && id[len(id)-1] == 0 || p.Height == math.MaxUint64 && len(id) > 0 {
		r.fail()
	}
	copy(p.ID[:], id)
	return p
}

// span reads a span, which is never empty.
func (r *decoder) span() span {
	s := span{r.bound(), r.bound()}
	if s.empty() {
		r.fail()
	}
	return s
}

// broke is the fault of a peer that does not keep to the protocol.
func broke(format string, args ...any) error {
	return fault.New(fault.Invalid, "the other peer sent "+format, args...).
		WithHint("it is broken, hostile or of another version: end the stream")
}
