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
	law       *charter           // of that channel
	bits      int                // of proof of work that it asks for
	neighbour identity.PublicKey // who handed it over, proven by the network
	data      []byte             // kept by what is delivered: nobody may change it
}

// screen is what the checks know of this peer and of the past.
type screen struct {
	self    string // this peer's key in hex
	seen    *replay
	limits  *limiter
	authors terms // what an author may write
}

// candidate is a frame on its way through the checks: each may rely on what the
// ones before it have found.
type candidate struct {
	arrival
	*frame
	author    identity.PublicKey
	canonical []byte   // canonical text of the message
	control   *control // nil for a message to deliver
}

// step is one check: [Delivered] lets the frame pass.
type step func(s *screen, now time.Time, c *candidate) Reason

// pipeline is what every frame passes, cheapest first.
var pipeline = []step{
	checkSize, checkForm, checkChannel, checkAuthor, checkID, checkDate, checkControl, checkWork, checkSignature, checkText,
	checkInvite, checkOwner, checkWelcome, checkReplay, checkRate,
}

// judge decides about one frame: it gives what passed, a message or a control,
// or the reason why it did not. Nothing changes but the memory of ids, what the
// author may still send, and the invite that it presented.
func judge(s *screen, now time.Time, a arrival) (*candidate, Reason) {
	c := &candidate{arrival: a}
	for _, check := range pipeline {
		if reason := check(s, now, c); reason != Delivered {
			return nil, reason
		}
	}
	return c, Delivered
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

func checkAuthor(s *screen, now time.Time, c *candidate) Reason {
	if c.from == s.self {
		return Echo
	}
	if s.limits.blocked(authorPurse(c.from), now) {
		return Blocked
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

// checkControl tells messages from controls, and drops what is smuggled as one
// (W47). The canonical text is made here, which also finds out whether the message
// is JSON at all.
func checkControl(_ *screen, _ time.Time, c *candidate) Reason {
	canonical, err := canon.JSON(c.message)
	switch {
	case err != nil || string(canonical) == "null":
		return Malformed
	case isControl(canonical):
		if c.control, err = readControl(canonical); err != nil {
			return Control
		}
	}
	c.canonical = canonical
	return Delivered
}

// checkWork asks for the channel's proof of work: one pass over the message. The
// channel is under the hash, so that work for one is none for another.
func checkWork(_ *screen, _ time.Time, c *candidate) Reason {
	if !c.worked(c.canonical, c.bits) {
		return NoWork
	}
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

// checkInvite lets only those into an invite-only channel that belong to it. A
// frame may bring its author's invite, so that whoever hears it first knows (W57).
func checkInvite(_ *screen, now time.Time, c *candidate) Reason {
	if c.law.open() || c.law.Belongs(c.author, now) {
		return Delivered
	}
	invite := c.invite
	if c.control != nil && c.control.kind == controlAuth {
		invite = c.control.invite
	}
	if invite == nil || c.law.Present(c.author, invite, now) != nil {
		return NotInvited
	}
	return Delivered
}

// handover tells whether a control is one that every member may say.
func (c *candidate) handover() bool { return c.control != nil && c.control.kind != controlOpen }

func checkOwner(_ *screen, _ time.Time, c *candidate) Reason {
	if !c.handover() && c.law.ownerOnly() && c.author != c.law.ownerIs() {
		return NotOwner
	}
	return Delivered
}

func checkWelcome(_ *screen, now time.Time, c *candidate) Reason {
	if !c.handover() && c.law.deaf(now) {
		return NoWelcome
	}
	return Delivered
}

// checkReplay delivers a frame once. It comes behind all that a copy could fail,
// since an id is remembered only for a frame that is genuine (W50).
func checkReplay(s *screen, now time.Time, c *candidate) Reason {
	return s.seen.admit(now, c.id, c.ts)
}

// checkRate makes the author pay, whoever handed the frame over. It is last:
// nobody can spend what is another's.
func checkRate(s *screen, now time.Time, c *candidate) Reason {
	if !s.limits.pay(authorPurse(c.from), s.authors, now, len(c.data)+frameCost) {
		return TooMuch
	}
	return Delivered
}

// authorPurse names the purse of an author, by its key in hex.
func authorPurse(from string) string { return "a" + from }

// deliverable is the message that passed.
func (c *candidate) deliverable() *Message {
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
