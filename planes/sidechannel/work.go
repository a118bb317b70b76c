package sidechannel

import (
	"context"
	"crypto/sha256"
	"encoding"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
)

// maxWorkBits bounds the proof of work that can be asked for: 24 bits cost a
// second or so, 30 a minute.
const maxWorkBits = 30

// Work is the proof of work that a frame must carry (upstream 6.2). It makes
// flooding dear for who has many keys; 12 bits cost the author about a
// millisecond, and who checks it one hash.
type Work struct {
	// Bits is how many leading zero bits the hash must have; 0 asks for none. Peers
	// that ask for more than others do not hear them.
	Bits int
	// In asks for it in these channels only. Empty: in the entry channel when Entry
	// is set, else in all.
	In    []ChannelName
	Entry bool
}

func (w *Work) check() (problems []error) {
	if w.Bits < 0 || w.Bits > maxWorkBits {
		problems = append(problems, fmt.Errorf("a proof of work has 0 to %d bits, not %d", maxWorkBits, w.Bits))
	}
	if w.Bits == 0 && (len(w.In) > 0 || w.Entry) {
		problems = append(problems, fmt.Errorf("channels are listed for proof of work, but it is off: switch sidechannel-pow on"))
	}
	return problems
}

// bits gives what a channel asks for.
func (w *Work) bits(name ChannelName) int {
	switch {
	case len(w.In) > 0 && !slices.Contains(w.In, name):
		return 0
	case len(w.In) == 0 && w.Entry && name != Entry:
		return 0
	}
	return w.Bits
}

// proof is the member "pow" of a frame. What it says of its difficulty is not
// believed: the hash tells.
type proof struct {
	nonce      uint64
	difficulty int
}

// workBase is the text that is hashed, without the nonce: what stands before it
// and behind it. "nonce" sorts after "message", so the part before is hashed
// once, however large the message is (W52).
func (f *frame) workBase(canonicalMessage []byte) (before, behind []byte) {
	before = make([]byte, 0, len(canonicalMessage)+len(f.channel)+len(f.id)+128)
	before = append(before, `{"channel":`...)
	before = append(before, f.channel...)
	before = append(before, `,"from":"`...)
	before = append(before, f.from...)
	before = append(before, `","id":"`...)
	before = append(before, f.id...)
	before = append(before, `","message":`...)
	before = append(before, canonicalMessage...)
	before = append(before, `,"nonce":`...)
	behind = append(behind, `,"origin":`...)
	behind = f.appendOrigin(behind)
	behind = append(behind, `,"ts":`...)
	behind = strconv.AppendInt(behind, f.ts, 10)
	return before, append(behind, '}')
}

// prove looks for the smallest nonce whose hash has that many leading zero bits
// (upstream's author does the same), until ctx ends.
func (f *frame) prove(ctx context.Context, canonicalMessage []byte, difficulty int) error {
	if difficulty <= 0 {
		return nil
	}
	before, behind := f.workBase(canonicalMessage)
	h := sha256.New()
	h.Write(before)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return fmt.Errorf("the state of a hash: %w", err)
	}
	restore := h.(encoding.BinaryUnmarshaler)
	tail := make([]byte, 0, 20+len(behind))
	var sum [sha256.Size]byte
	for nonce := uint64(0); ; nonce++ {
		if nonce%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := restore.UnmarshalBinary(state); err != nil {
			return fmt.Errorf("the state of a hash: %w", err)
		}
		tail = append(strconv.AppendUint(tail[:0], nonce, 10), behind...)
		h.Write(tail)
		if leadingZeros(h.Sum(sum[:0])) >= difficulty {
			f.pow = &proof{nonce: nonce, difficulty: difficulty}
			return nil
		}
	}
}

// worked tells whether a frame carries a proof of that many bits.
func (f *frame) worked(canonicalMessage []byte, difficulty int) bool {
	if difficulty <= 0 {
		return true
	}
	if f.pow == nil {
		return false
	}
	before, behind := f.workBase(canonicalMessage)
	sum := sha256.Sum256(append(strconv.AppendUint(before, f.pow.nonce, 10), behind...))
	return leadingZeros(sum[:]) >= difficulty
}

func leadingZeros(sum []byte) int {
	n := 0
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n
}
