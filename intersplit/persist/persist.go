// Package persist is how a room lies in the contract state of a subnet: the
// contract's functions about rooms, and where their values stand.
//
// A room there is a set of its signed entries, which only grows: whoever persists a
// room brings the entries that the state lacks, in as many parts as transactions
// need. Two who do so at once lose nothing of each other. An entry that is not of the
// room, or not signed by its author, is refused, so what is read back can be trusted
// as far as its authors: whose entries count is the ledger's to say.
//
// State:
//
//	expense/room/<channel>          [Room]
//	expense/part/<channel>/<n>      [Part], n = 0, 1, 2, …
//	expense/entry/<channel>/<id>    the part that holds the entry
//
// where <channel> is the channel's name, but in the last two its SHA-256 in hex, so
// that no name reaches into another's room.
//
// The functions are deterministic and bounded. They know the state as [State], and
// are registered by whoever assembles a contract.
package persist

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"intercom/core/feed"
	"intercom/core/identity"
)

// Sources are this package's own files: what a contract does with rooms, as part of
// its version.
//
//go:embed persist.go
var Sources embed.FS

// The names of the functions.
const (
	UpsertRoom = "expense_upsert_room"
	DeleteRoom = "expense_delete_room"
	ReadRoom   = "expense_read_room"
)

// Limits of one call.
const (
	// MaxEntries is how many entries one upsert brings.
	MaxEntries = 64
	// PartsDeleted is how many parts one delete removes.
	PartsDeleted = 16
)

// stepsPerEntry is what a signature costs of a call's budget.
const stepsPerEntry = 20

// State is what a function needs of the contract's state during a call.
type State interface {
	Read(key string, into any) bool
	Put(key string, value any)
	Del(key string)
	Step(n int)
	Caller() identity.PublicKey
	Tx() string
}

// Room is what stands under expense/room/<channel>.
type Room struct {
	Channel string `json:"channel"`
	Entries int    `json:"entries"`
	Parts   int    `json:"parts"`
	By      string `json:"by"` // who persisted it first, and may delete it
	Tx      string `json:"tx"` // that changed it last
}

// Part is some signed entries of a room, each the base64 of its encoding.
type Part struct {
	Entries []string `json:"entries"`
}

// Upsert is what [Rooms.Upsert] takes.
type Upsert struct {
	Channel string   `json:"channel" rule:"min=1 max=256" about:"channel of the room"`
	Entries []string `json:"entries" rule:"max=64" about:"signed entries, base64"`
}

// Delete is what [Rooms.Delete] takes.
type Delete struct {
	Channel string `json:"channel" rule:"min=1 max=256" about:"channel of the room"`
}

// Read is what [Rooms.Read] takes.
type Read struct {
	Channel string `json:"channel" rule:"min=1 max=256" about:"channel of the room"`
	Part    int    `json:"part,omitempty" rule:"min=0 max=1000000" about:"which part of its entries; the first if left out"`
}

// Contents is what [Rooms.Read] gives.
type Contents struct {
	Room    Room     `json:"room"`
	Entries []string `json:"entries"` // of the part
}

// Rooms are the functions. Feed gives the feed of a channel's room.
type Rooms struct {
	Feed func(channel string) feed.FeedID
}

// RoomKey is where a room stands.
func RoomKey(channel string) string { return "expense/room/" + channel }

// PartKey is where a part of a room stands.
func PartKey(channel string, n int) string {
	return fmt.Sprintf("expense/part/%s/%d", nameOf(channel), n)
}

func entryKey(channel string, id feed.ID) string {
	return "expense/entry/" + nameOf(channel) + "/" + id.String()
}

func nameOf(channel string) string {
	sum := sha256.Sum256([]byte(channel))
	return hex.EncodeToString(sum[:])
}

// Upsert adds entries to a room; those that are there already are passed over.
func (r Rooms) Upsert(s State, in Upsert) (any, error) {
	if len(in.Entries) > MaxEntries {
		return nil, fmt.Errorf("%d entries, at most %d are taken", len(in.Entries), MaxEntries)
	}
	room := Room{Channel: in.Channel, By: s.Caller().String()}
	s.Read(RoomKey(in.Channel), &room)
	fresh := []string{}
	for i, text := range in.Entries {
		s.Step(stepsPerEntry)
		id, err := r.check(in.Channel, text)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		key := entryKey(in.Channel, id)
		var part int
		if s.Read(key, &part) {
			continue
		}
		s.Put(key, room.Parts)
		fresh = append(fresh, text)
	}
	if len(fresh) > 0 {
		s.Put(PartKey(in.Channel, room.Parts), Part{Entries: fresh})
		room.Parts++
	}
	room.Entries += len(fresh)
	room.Tx = s.Tx()
	s.Put(RoomKey(in.Channel), room)
	return room, nil
}

// check tells whether a text is a signed entry of the channel's room, and which.
func (r Rooms) check(channel, text string) (feed.ID, error) {
	e, err := Entry(text)
	switch {
	case err != nil:
		return feed.ID{}, err
	case e.Feed != r.Feed(channel):
		return feed.ID{}, fmt.Errorf("it is of another room than channel %q", channel)
	case !identity.Verify(e.Author, e.Preimage(), e.Sig[:]):
		return feed.ID{}, errors.New("its author did not sign it")
	}
	return e.ID(), nil
}

// Entry reads the text of a signed entry. It does not check the signature.
func Entry(text string) (*feed.Entry, error) {
	if len(text) > base64.StdEncoding.EncodedLen(feed.MaxEntry) {
		return nil, errors.New("it is too long for an entry")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("it is no base64")
	}
	return feed.Decode(raw)
}

// Delete removes a room, some parts at a call: it is gone when none is left. Only
// who persisted it first may.
func (r Rooms) Delete(s State, in Delete) (any, error) {
	var room Room
	if !s.Read(RoomKey(in.Channel), &room) {
		return nil, fmt.Errorf("there is no room %q", in.Channel)
	}
	if room.By != s.Caller().String() {
		return nil, fmt.Errorf("only %s, who persisted it first, may delete the room", room.By)
	}
	for n := 0; n < PartsDeleted && room.Parts > 0; n++ {
		room.Parts--
		var part Part
		s.Read(PartKey(in.Channel, room.Parts), &part)
		for _, text := range part.Entries {
			if e, err := Entry(text); err == nil {
				s.Del(entryKey(in.Channel, e.ID()))
			}
		}
		room.Entries -= len(part.Entries)
		s.Del(PartKey(in.Channel, room.Parts))
	}
	room.Tx = s.Tx()
	if room.Parts == 0 {
		s.Del(RoomKey(in.Channel))
	} else {
		s.Put(RoomKey(in.Channel), room)
	}
	return room, nil
}

// Read gives a room and one part of its entries.
func (r Rooms) Read(s State, in Read) (any, error) {
	var out Contents
	if !s.Read(RoomKey(in.Channel), &out.Room) {
		return nil, fmt.Errorf("there is no room %q", in.Channel)
	}
	var part Part
	s.Read(PartKey(in.Channel, in.Part), &part)
	out.Entries = append([]string{}, part.Entries...)
	return out, nil
}

// Load reads a whole room through get, which gives the value of a key, nil for none.
// Ok is false when there is no such room.
func Load(channel string, get func(key string) (json.RawMessage, error)) (room Room, entries []string, ok bool, err error) {
	raw, err := get(RoomKey(channel))
	if err != nil || raw == nil {
		return room, nil, false, err
	}
	if err := json.Unmarshal(raw, &room); err != nil {
		return room, nil, false, fmt.Errorf("the room in the state: %w", err)
	}
	for n := range room.Parts {
		var part Part
		raw, err := get(PartKey(channel, n))
		if err == nil {
			err = json.Unmarshal(raw, &part)
		}
		if err != nil {
			return room, nil, false, fmt.Errorf("part %d of the room in the state: %w", n, err)
		}
		entries = append(entries, part.Entries...)
	}
	return room, entries, true, nil
}
