package sealed

import (
	"time"
)

// Grace is how long the key before the current one is accepted, from the moment
// this peer learned the newer. Too short and messages of members that have not
// heard yet are lost; it is also how long a revoked member reads on.
const Grace = 60 * time.Second

// MaxKeyAge is when an inviter replaces a key that nothing else replaced.
const MaxKeyAge = 7 * 24 * time.Hour

// maxRekeys bounds the epochs that one inviter makes for the same set of
// revocations. Inviters who trust different lists see different sets and would
// otherwise replace each other's keys for ever.
const maxRekeys = 3

// Held is a key this peer has.
type Held struct {
	Record Record
	Key    Key
	Derived
}

// Ring is the keys of one channel, as a value: what it does depends on itself,
// the time and the input alone. The zero ring has no key.
type Ring struct {
	Current  *Held
	Previous *Held     // the one before, accepted until Until
	Until    time.Time //
	Learned  time.Time // when Current was
}

// Change tells what a ring did with a record.
type Change int

// The outcomes of [Ring.Take].
const (
	Taken   Change = iota // it is the current one now
	Known                 // it was the current one already
	Behind                // it is smaller than the current one, which the sender should get
	Refused               // record and key do not belong together, or to this channel
)

// Take offers a record that a trusted inviter has signed, with its key.
func (r Ring) Take(ch Channel, rec Record, key Key, now time.Time) (Ring, Change) {
	d := key.Derive(ch)
	switch {
	case rec.Channel != ch || rec.KID != d.KID:
		return r, Refused
	case r.Current == nil:
		r.Current, r.Learned = &Held{rec, key, d}, now
		return r, Taken
	}
	switch c := rec.Compare(&r.Current.Record); {
	case c == 0:
		return r, Known
	case c < 0:
		return r, Behind
	}
	return Ring{Current: &Held{rec, key, d}, Previous: r.Current, Until: now.Add(Grace), Learned: now}, Taken
}

// Next gives the ring with a new epoch of this inviter.
func (r Ring) Next(ch Channel, signer Signer, key Key, honours [32]byte, now time.Time) Ring {
	epoch := uint64(1)
	if r.Current != nil {
		epoch = r.Current.Record.Epoch + 1
	}
	rec := NewRecord(signer, ch, epoch, key.Derive(ch).KID, honours, now)
	next, _ := r.Take(ch, rec, key, now)
	return next
}

// Accepted lists the keys under which messages are read, the current one first:
// it is the one to send with.
func (r Ring) Accepted(now time.Time) []*Held {
	switch {
	case r.Current == nil:
		return nil
	case r.Previous == nil || !now.Before(r.Until):
		return []*Held{r.Current}
	}
	return []*Held{r.Current, r.Previous}
}

// Tidy lets go of a previous key whose time is over.
func (r Ring) Tidy(now time.Time) Ring {
	if r.Previous != nil && !now.Before(r.Until) {
		r.Previous, r.Until = nil, time.Time{}
	}
	return r
}

// Duty tells why an inviter should make the next epoch, "" for no reason.
// revocations is the hash of those it knows; made counts the epochs it has made
// for exactly these.
func (r Ring) Duty(revocations [32]byte, made int, now time.Time) string {
	switch {
	case r.Current == nil:
		return "the channel has no key"
	case r.Current.Record.Honours != revocations && made < maxRekeys:
		return "a revocation is not honoured"
	case now.Sub(r.born()) >= MaxKeyAge:
		return "the key is old"
	}
	return ""
}

// born is when the current key was made, by the inviter's clock unless that is
// ahead of ours.
func (r Ring) born() time.Time {
	if created := time.UnixMilli(r.Current.Record.Created); created.Before(r.Learned) {
		return created
	}
	return r.Learned
}
