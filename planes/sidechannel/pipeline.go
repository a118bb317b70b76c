package sidechannel

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
)

// Message is one delivered message.
type Message struct {
	Channel   string             // name of the channel
	ID        string             // "<from>:<ts>:<8 base-36>"
	From      identity.PublicKey // its verified author
	Origin    identity.PublicKey // the author again; zero when the frame leaves it out
	Sig       string             // the author's signature, 128 hex digits
	RelayedBy identity.PublicKey // the neighbour it came from; zero when that is the author
	TTL       int                // hops it had left, as upstream counts: 3, or 2 over a relay
	TS        int64              // the author's clock, ms since 1970
	Message   json.RawMessage    // compact JSON, as it was sent; do not change it
}

// arrival is a frame as it came.
type arrival struct {
	name      ChannelName        // of the channel it came on
	quoted    string             // the name as JSON text
	neighbour identity.PublicKey // who handed it over, proven by the network
	data      []byte             // kept by what is delivered: nobody may change it
}

// screen is what the checks know of this peer and of the past.
type screen struct {
	self string // this peer's key in hex
	seen *replay
}

// candidate is a frame on its way through the checks: each may rely on what the
// ones before it have found.
type candidate struct {
	arrival
	*frame
	author    identity.PublicKey
	canonical []byte // canonical text of the message
}

// step is one check: [Delivered] lets the frame pass.
type step func(s *screen, now time.Time, c *candidate) Reason

// pipeline is what every frame passes, cheapest first. The package comment says
// where the policies of a channel take their place.
var pipeline = []step{
	checkSize, checkForm, checkChannel, checkAuthor, checkID, checkDate, checkControl, checkSignature, checkText, checkReplay,
}

// judge decides about one frame: it gives the message to deliver, or the reason
// why not. Nothing but the memory of delivered ids changes.
func judge(s *screen, now time.Time, a arrival) (*Message, Reason) {
	c := candidate{arrival: a}
	for _, check := range pipeline {
		if reason := check(s, now, &c); reason != Delivered {
			return nil, reason
		}
	}
	return c.result(), Delivered
}

func checkSize(_ *screen, _ time.Time, c *candidate) Reason {
	if len(c.data) > MaxFrameBytes {
		return TooLarge
	}
	return Delivered
}

func checkForm(_ *screen, _ time.Time, c *candidate) Reason {
	f, err := decodeFrame(c.data)
	if err != nil {
		return Malformed
	}
	c.frame = f
	return Delivered
}

// checkChannel keeps a frame of one channel from being replayed on another (W49).
func checkChannel(_ *screen, _ time.Time, c *candidate) Reason {
	if c.channel != c.quoted {
		return WrongChannel
	}
	return Delivered
}

func checkAuthor(s *screen, _ time.Time, c *candidate) Reason {
	if c.from == s.self {
		return Echo
	}
	key, err := identity.ParsePublicKey(c.from)
	if err != nil {
		return Malformed
	}
	c.author = key
	return Delivered
}

// checkID makes sure that an id says nothing that the signed frame does not say, so
// that nobody can take the id of another's message (W50).
func checkID(_ *screen, _ time.Time, c *candidate) Reason {
	parts := cursor{rest: []byte(c.id)}
	parts.literal(c.from + ":")
	ts := parts.integer()
	parts.literal(":")
	for _, char := range parts.take(idTail) {
		if (char < '0' || char > '9') && (char < 'a' || char > 'z') {
			return WrongID
		}
	}
	if parts.bad || len(parts.rest) > 0 || ts != c.ts {
		return WrongID
	}
	return Delivered
}

// checkDate is the first half of the answer to replays (W48); checkReplay is
// the other.
func checkDate(s *screen, now time.Time, c *candidate) Reason { return s.seen.dated(now, c.ts) }

// checkControl drops what is not for applications (W47). The canonical text is made
// here, which also finds out whether the message is JSON at all.
func checkControl(_ *screen, _ time.Time, c *candidate) Reason {
	canonical, err := canon.JSON(c.message)
	switch {
	case err != nil || string(canonical) == "null":
		return Malformed
	case isControl(canonical):
		return Control
	}
	c.canonical = canonical
	return Delivered
}

// checkSignature runs for every frame, whatever the channel (W46).
func checkSignature(_ *screen, _ time.Time, c *candidate) Reason {
	var sig [sigDigits / 2]byte
	if _, err := hex.Decode(sig[:], []byte(c.sig)); err != nil {
		return Malformed
	}
	if !identity.Verify(c.author, c.base(c.canonical), sig[:]) {
		return BadSignature
	}
	return Delivered
}

// checkText makes sure that there is one reading of what was signed: repeated members
// and other spellings of a number would be read differently by different people.
func checkText(_ *screen, _ time.Time, c *candidate) Reason {
	if bytes.Equal(c.canonical, c.message) {
		return Delivered // the usual case: a text, a number, sorted members
	}
	compact, err := canon.Compact(c.message)
	if err != nil || !bytes.Equal(compact, c.message) {
		return Malformed
	}
	return Delivered
}

// checkReplay delivers a frame once. It comes last, since an id is remembered only
// for a frame that is delivered (W50).
func checkReplay(s *screen, now time.Time, c *candidate) Reason {
	return s.seen.admit(now, c.id, c.ts)
}

// result is the message to deliver.
func (c *candidate) result() *Message {
	m := &Message{
		Channel: string(c.name), ID: c.id, From: c.author, Sig: c.sig,
		TTL: directTTL, TS: c.ts, Message: c.message,
	}
	if c.origin {
		m.Origin = c.author
	}
	if c.neighbour != c.author {
		m.RelayedBy, m.TTL = c.neighbour, relayedTTL
	}
	return m
}
