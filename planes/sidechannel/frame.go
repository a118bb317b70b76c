package sidechannel

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/identity"
)

// MaxFrameBytes is the greatest size of a frame, upstream's sidechannel-max-bytes.
// About 460 of them are the envelope.
const MaxFrameBytes = 1_000_000

const (
	directTTL  = 3 // hops that a frame carries (upstream 6.8)
	relayedTTL = 2 // what is left of them behind a relay

	idTail     = 8  // random characters that end an id
	idAlphabet = 36 // base 36: 0-9a-z

	keyDigits = 64  // hex digits of a key
	sigDigits = 128 // and of a signature
)

// Signer signs as this peer.
type Signer interface {
	PublicKey() identity.PublicKey
	Sign(msg []byte) []byte
}

// frame is what travels on an open channel (upstream 6.2).
type frame struct {
	id      string // "<from>:<ts>:<8 base-36>"
	channel string // the name as JSON text, quotes included
	from    string // 64 hex digits, lower case
	origin  bool   // origin repeats from, else it is null
	message []byte // one JSON value
	ts      int64  // ms since 1970
	invite  []byte // the author's, as JSON; nil when it carries none
	pow     *proof // nil when it carries none
	sig     string // 128 hex digits, lower case
}

// draft is a frame that is neither proven nor signed.
type draft struct {
	*frame
	canonical []byte // canonical text of the message
}

// newDraft makes a frame of a message. A message that no member would take is
// refused.
func newDraft(from identity.PublicKey, channel string, message []byte, now time.Time) (draft, error) {
	compact, err := canon.Compact(message)
	switch {
	case len(message) == 0:
		return draft{}, fault.New(fault.Invalid, "the message is missing").WithHint(anyValue)
	case err != nil:
		return draft{}, fault.New(fault.Invalid, "the message is not JSON: %v", err).WithHint(anyValue)
	case string(compact) == "null":
		return draft{}, fault.New(fault.Invalid, "the message is null").WithHint(anyValue)
	}
	d, err := draftOf(from, channel, compact, now)
	if err == nil && isControl(d.canonical) {
		return draft{}, fault.New(fault.Invalid, "the message has a member \"control\", which belongs to the channel itself").
			WithHint("name the member otherwise, or put the object inside another")
	}
	return d, err
}

// draftOf makes a frame of a message that is compact JSON, a control too.
func draftOf(author identity.PublicKey, channel string, compact []byte, now time.Time) (draft, error) {
	from, ts := author.String(), now.UnixMilli()
	f := &frame{id: newID(from, ts), channel: channel, from: from, origin: true, message: compact, ts: ts}
	canonical, err := canon.JSON(compact)
	if err != nil {
		return draft{}, fmt.Errorf("compact text is no JSON: %w", err)
	}
	return draft{f, canonical}, nil
}

// fits refuses a frame that would be larger than limit, before it costs
// anything. bits is the proof of work that it will carry.
func (d draft) fits(limit, bits int) error {
	if bits > 0 {
		d.pow = &proof{nonce: maxNonce, difficulty: bits}
		defer func() { d.pow = nil }()
	}
	if size := d.size(); size > limit {
		return fault.New(fault.Limited, "message too large (%d bytes > %d).", size, limit).
			WithHint("send less at once: split the message, or say where the rest can be had")
	}
	return nil
}

// finish proves and signs.
func (d draft) finish(ctx context.Context, signer Signer, bits int) error {
	if err := d.prove(ctx, d.canonical, bits); err != nil {
		return err
	}
	d.sig = hex.EncodeToString(signer.Sign(d.base(d.canonical)))
	return nil
}

const anyValue = "send any JSON value but null: a text, a number, a list or an object"

// newID makes an id that names its author and time; 8 random characters tell
// messages of one millisecond apart.
func newID(from string, ts int64) string {
	b := make([]byte, 0, len(from)+1+13+1+idTail)
	b = append(b, from...)
	b = append(b, ':')
	b = strconv.AppendInt(b, ts, 10)
	b = append(b, ':')
	return string(appendRandom(b))
}

// appendRandom appends 8 characters, each of 36 equally likely: draws that
// would favour the lower ones are thrown away.
func appendRandom(b []byte) []byte {
	const values = idAlphabet * idAlphabet * idAlphabet * idAlphabet * idAlphabet * idAlphabet * idAlphabet * idAlphabet
	const fair = math.MaxUint64 - math.MaxUint64%values
	var draw [8]byte
	for {
		rand.Read(draw[:]) // never fails
		if v := binary.LittleEndian.Uint64(draw[:]); v < fair {
			for range idTail {
				b = append(b, "0123456789abcdefghijklmnopqrstuvwxyz"[v%idAlphabet])
				v /= idAlphabet
			}
			return b
		}
	}
}

// base is the text under the signature: the canonical form of
// {kind, id, channel, from, origin, ts, message} (upstream 6.2). Its members
// come sorted, and all but the message are canonical as they are.
func (f *frame) base(canonicalMessage []byte) []byte {
	b := make([]byte, 0, len(canonicalMessage)+len(f.channel)+512)
	b = append(b, `{"channel":`...)
	b = append(b, f.channel...)
	b = append(b, `,"from":"`...)
	b = append(b, f.from...)
	b = append(b, `","id":"`...)
	b = append(b, f.id...)
	b = append(b, `","kind":"sidechannel_message_v1","message":`...)
	b = append(b, canonicalMessage...)
	b = append(b, `,"origin":`...)
	b = f.appendOrigin(b)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, f.ts, 10)
	return append(b, '}')
}

// encode writes the frame in its one form, upstream's build order.
func (f *frame) encode() []byte {
	b := make([]byte, 0, f.size())
	b = append(b, frameHead...)
	b = append(b, f.id...)
	b = append(b, `","channel":`...)
	b = append(b, f.channel...)
	b = append(b, `,"from":"`...)
	b = append(b, f.from...)
	b = append(b, `","origin":`...)
	b = f.appendOrigin(b)
	b = append(b, `,"message":`...)
	b = append(b, f.message...)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, f.ts, 10)
	b = append(b, frameTTL...)
	b = f.appendExtras(b)
	b = append(b, frameTail...)
	b = append(b, f.sig...)
	return append(b, `"}`...)
}

const (
	frameHead = `{"type":"sidechannel","id":"`
	frameTTL  = `,"ttl":3` // with directTTL
	frameTail = `,"sig":"`
)

// appendExtras writes what a frame may carry beside its signed members.
func (f *frame) appendExtras(b []byte) []byte {
	if f.invite != nil {
		b = append(append(b, `,"invite":`...), f.invite...)
	}
	if f.pow != nil {
		b = strconv.AppendUint(append(b, `,"pow":{"nonce":`...), f.pow.nonce, 10)
		b = strconv.AppendInt(append(b, `,"difficulty":`...), int64(f.pow.difficulty), 10)
		b = append(b, '}')
	}
	return b
}

// size is the length of what encode gives, once the frame is signed.
func (f *frame) size() int {
	const names = len(frameHead) + len(`","channel":`) + len(`,"from":"`) + len(`","origin":`) + len(`,"message":`) +
		len(`,"ts":`) + len(frameTTL) + len(frameTail) + len(`"}`)
	origin := len("null")
	if f.origin {
		origin = len(f.from) + 2
	}
	return names + len(f.id) + len(f.channel) + len(f.from) + origin + len(f.message) +
		len(strconv.FormatInt(f.ts, 10)) + len(f.appendExtras(nil)) + sigDigits
}

func (f *frame) appendOrigin(b []byte) []byte {
	if !f.origin {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = append(b, f.from...)
	return append(b, '"')
}
