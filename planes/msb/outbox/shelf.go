package outbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

// shelf is the outbox on the disk:
//
//	n                the network
//	e ‖ id           a record
//	o ‖ number       id of one that has not ended, in the order of their making
//	f ‖ number       id of one that has ended, in that order
//	k ‖ key          SHA-256 of the content ‖ id
//	u ‖ id           it ended, and who listens may not know
//
// It belongs to an [Outbox], which keeps its calls apart where they meet.
type shelf struct{ space *store.Space }

// record is an entry as it is stored; what its bytes say stands only there.
type record struct {
	Raw     []byte    `json:"raw"`
	State   State     `json:"state"`
	Code    bus.Code  `json:"code,omitempty"`
	Text    string    `json:"text,omitempty"`
	Height  uint64    `json:"height,omitempty"`
	Key     string    `json:"key,omitempty"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

func under(kind byte, rest []byte) []byte { return append([]byte{kind}, rest...) }

func numbered(kind byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, number)
}

// claim makes the space that network's, if it is not another's.
func (s shelf) claim(network string) error {
	held, ok, err := s.space.Get([]byte("n"))
	switch {
	case err != nil:
		return err
	case ok && string(held) != network:
		return fault.New(fault.Conflict, "the outbox holds transactions of network %.50q, not of %.50q", held, network).
			WithHint("give each network a store of its own")
	case ok:
		return nil
	}
	b := s.space.Batch()
	b.Set([]byte("n"), []byte(network))
	return b.Apply() // lasting before anything that is written later
}

// get reads an entry.
func (s shelf) get(id bus.ID) (e Entry, ok bool, err error) {
	raw, ok, err := s.space.Get(under('e', id[:]))
	if !ok || err != nil {
		return Entry{}, false, err
	}
	var r record
	if json.Unmarshal(raw, &r) != nil {
		return Entry{}, false, damaged(id)
	}
	signed, result := bus.Decode(r.Raw)
	if result.Code != bus.OK || signed.ID != id {
		return Entry{}, false, damaged(id)
	}
	e = entryOf(signed, r.Raw)
	e.State, e.Code, e.Text, e.Height = r.State, r.Code, r.Text, r.Height
	e.Key, e.Created, e.Changed = r.Key, r.Created, r.Changed
	return e, true, nil
}

func damaged(id bus.ID) error {
	return fault.New(fault.Unavailable, "the stored transaction %s is damaged", id).
		WithHint("restore the store's files; what became of it the network can tell by its hash")
}

func entryOf(signed *bus.Signed, raw []byte) Entry {
	return Entry{ID: signed.ID, Raw: raw, Kind: bus.KindOf(signed.Body), Expiry: signed.Expiry, State: Created}
}

// put adds a record to a batch.
func put(b *store.Batch, e Entry) {
	raw, err := json.Marshal(record{
		Raw: e.Raw, State: e.State, Code: e.Code, Text: e.Text, Height: e.Height,
		Key: e.Key, Created: e.Created, Changed: e.Changed,
	})
	if err != nil {
		panic("outbox: " + err.Error()) // bytes, numbers, text and times have a JSON form
	}
	b.Set(under('e', e.ID[:]), raw)
}

// add stores a new entry; when it returns the entry is on the disk.
func (s shelf) add(number uint64, e Entry, content [sha256.Size]byte) error {
	b := s.space.Batch()
	put(b, e)
	b.Set(numbered('o', number), e.ID[:])
	if e.Key != "" {
		b.Set(under('k', []byte(e.Key)), append(content[:], e.ID[:]...))
	}
	return b.Commit()
}

// update stores what is known of an entry by now.
func (s shelf) update(e Entry) error {
	b := s.space.Batch()
	put(b, e)
	return b.Apply()
}

// end stores how an entry ended. With lasting set it is on the disk when end
// returns, marked as untold until [shelf.told].
func (s shelf) end(number, ended uint64, e Entry, lasting bool) error {
	b := s.space.Batch()
	put(b, e)
	b.Delete(numbered('o', number))
	b.Set(numbered('f', ended), e.ID[:])
	if !lasting {
		return b.Apply()
	}
	b.Set(under('u', e.ID[:]), nil)
	return b.Commit()
}

func (s shelf) told(id bus.ID) error {
	b := s.space.Batch()
	b.Delete(under('u', id[:]))
	return b.Apply()
}

// untold lists what ended before a kill and may not have been told.
func (s shelf) untold() (ids []bus.ID, err error) {
	err = s.space.Scan([]byte("u"), []byte("v"), func(key, _ []byte) bool {
		if len(key) == 1+len(bus.ID{}) {
			ids = append(ids, bus.ID(key[1:]))
		}
		return true
	})
	return ids, err
}

// keyed finds the transaction of a key.
func (s shelf) keyed(key string, content [sha256.Size]byte) (id bus.ID, ok bool, err error) {
	raw, ok, err := s.space.Get(under('k', []byte(key)))
	switch {
	case err != nil || !ok:
		return id, false, err
	case len(raw) != len(content)+len(id):
		return id, false, fault.New(fault.Unavailable, "what is stored of key %.128q is damaged", key).
			WithHint("take another key, or restore the store's files")
	case !bytes.Equal(raw[:len(content)], content[:]):
		return id, false, fault.New(fault.Conflict, "key %.128q was used for another transaction, %x", key, raw[len(content):]).
			WithHint("take a new key, or repeat that call exactly")
	}
	return bus.ID(raw[len(content):]), true, nil
}

// list visits the ids that stand under numbers, in order.
func (s shelf) list(kind byte, visit func(number uint64, id bus.ID) (more bool)) error {
	return s.space.Scan([]byte{kind}, []byte{kind + 1}, func(key, value []byte) bool {
		if len(key) != 9 || len(value) != len(bus.ID{}) {
			return true
		}
		return visit(binary.BigEndian.Uint64(key[1:]), bus.ID(value))
	})
}

// forget removes the oldest n that have ended.
func (s shelf) forget(n int) error {
	b := s.space.Batch()
	var failed error
	err := s.list('f', func(number uint64, id bus.ID) bool {
		if n--; n < 0 {
			return false
		}
		e, ok, err := s.get(id)
		if failed = err; err != nil {
			return false
		}
		b.Delete(numbered('f', number))
		b.Delete(under('e', id[:]))
		if ok && e.Key != "" {
			b.Delete(under('k', []byte(e.Key)))
		}
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return b.Apply()
}
