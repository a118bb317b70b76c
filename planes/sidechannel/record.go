package sidechannel

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"intercom/core/identity"
)

// record is what is stored of a channel's law; guests and revocations have
// entries of their own.
type record struct {
	owner    identity.PublicKey
	welcome  *Welcome
	closed   bool
	inviters []identity.PublicKey
	ticket   *Invite

	guests  []*Invite     // as found at the start
	revoked []*revocation // as found at the start
}

// Keys in the book. A channel's name holds no zero byte, so that it ends where
// one stands.
var (
	lawsFrom    = []byte("law/")
	lawsTo      = []byte("law0")
	guestsFrom  = []byte("guest/")
	guestsTo    = []byte("guest0")
	revokedFrom = []byte("revoked/")
	revokedTo   = []byte("revoked0")
	blocksFrom  = []byte("block/")
	blocksTo    = []byte("block0")
)

type recordJSON struct {
	Owner      string          `json:"owner,omitempty"`
	Welcome    json.RawMessage `json:"welcome,omitempty"`
	InviteOnly bool            `json:"inviteOnly,omitempty"`
	Inviters   []string        `json:"inviters,omitempty"`
	Ticket     json.RawMessage `json:"ticket,omitempty"`
}

// laterPending bounds the writes that nobody waits for.
const laterPending = 1024

func (r record) encode() ([]byte, error) {
	out := recordJSON{Owner: keyOf(r.owner), InviteOnly: r.closed}
	if r.welcome != nil {
		out.Welcome = r.welcome.JSON()
	}
	for _, key := range r.inviters {
		out.Inviters = append(out.Inviters, key.String())
	}
	if r.ticket != nil {
		out.Ticket = r.ticket.JSON()
	}
	return json.Marshal(out)
}

func decodeRecord(raw []byte) (r record, err error) {
	var in recordJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return r, err
	}
	r.closed = in.InviteOnly
	if in.Owner != "" {
		if r.owner, err = identity.ParsePublicKey(in.Owner); err != nil {
			return r, err
		}
	}
	for _, text := range in.Inviters {
		key, err := identity.ParsePublicKey(text)
		if err != nil {
			return r, err
		}
		r.inviters = append(r.inviters, key)
	}
	if len(in.Welcome) > 0 {
		if r.welcome, err = ParseWelcome(in.Welcome); err != nil {
			return r, err
		}
	}
	if len(in.Ticket) > 0 {
		r.ticket, err = ParseInvite(in.Ticket)
	}
	return r, err
}

// readLaws reads the laws of all channels. What cannot be read ends the start:
// going on without it would open a channel that was closed.
func (b *book) readLaws() (map[ChannelName]record, error) {
	laws := map[ChannelName]record{}
	err := b.scan(lawsFrom, lawsTo, func(key, value []byte) error {
		r, err := decodeRecord(value)
		laws[ChannelName(key)] = r
		return err
	})
	if err != nil {
		return nil, err
	}
	err = b.scan(guestsFrom, guestsTo, func(key, value []byte) error {
		v, err := ParseInvite(value)
		if err != nil {
			return err
		}
		r := laws[v.Channel]
		r.guests = append(r.guests, v)
		laws[v.Channel] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return laws, b.scan(revokedFrom, revokedTo, func(key, value []byte) error {
		v, err := parseRevocation(value)
		if err != nil {
			return err
		}
		r := laws[v.Channel]
		r.revoked = append(r.revoked, v)
		laws[v.Channel] = r
		return nil
	})
}

// scan visits what stands under a prefix, which key does not contain.
func (b *book) scan(from, to []byte, visit func(key, value []byte) error) error {
	var damaged error
	err := b.space.Scan(from, to, func(key, value []byte) bool {
		if err := visit(key[len(from):], value); err != nil {
			damaged = fmt.Errorf("the store's entry %q cannot be read: %w", key, err)
		}
		return damaged == nil
	})
	if err != nil {
		return err
	}
	return damaged
}

// keep stores the law of a channel.
func (b *book) keep(name ChannelName, r record) error {
	raw, err := r.encode()
	if err != nil {
		return err
	}
	return b.set(append(slices.Clone(lawsFrom), name...), raw)
}

func (b *book) keepGuest(name ChannelName, v *Invite) error {
	return b.set(personal(guestsFrom, name, v.Invitee), v.bare())
}

func (b *book) dropGuest(name ChannelName, key identity.PublicKey) error {
	batch := b.space.Batch()
	batch.Delete(personal(guestsFrom, name, key))
	return batch.Commit()
}

func (b *book) keepRevocation(name ChannelName, r *revocation) error {
	return b.set(personal(revokedFrom, name, r.Invitee), r.JSON())
}

func (b *book) keepBlock(payer string, until time.Time) error {
	return b.set(append(slices.Clone(blocksFrom), payer...), binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli())))
}

// readBlocks gives the blocks that are still in force, and forgets the others.
func (b *book) readBlocks(now time.Time) (map[string]time.Time, error) {
	blocks := map[string]time.Time{}
	old := b.space.Batch()
	err := b.scan(blocksFrom, blocksTo, func(key, value []byte) error {
		if len(value) != 8 {
			return fmt.Errorf("it has %d bytes, not 8", len(value))
		}
		until := time.UnixMilli(int64(binary.BigEndian.Uint64(value)))
		if until.After(now) && until.Before(now.Add(2*BlockTime)) {
			blocks[string(key)] = until
		} else {
			old.Delete(append(slices.Clone(blocksFrom), key...))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return blocks, old.Commit()
}

func (b *book) set(key, value []byte) error {
	batch := b.space.Batch()
	batch.Set(key, value)
	return batch.Commit()
}

func personal(from []byte, name ChannelName, key identity.PublicKey) []byte {
	return append(append(append(slices.Clone(from), name...), 0), key[:]...)
}

// later queues a write that nobody waits for, such as one that is found out
// while a frame is checked. When too many wait it is left out: what it would
// have kept is learned again.
func (b *book) later(write func(*book) error) {
	select {
	case b.pending <- write:
	default:
	}
}
