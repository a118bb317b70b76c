package machine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"intercom/core/canon"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// The machine's own leaves, beside those with names ([contract.Leaf]). Numbers are
// big endian.
//
//	msubnet               the bootstrap key
//	mcontract             the contract's version
//	msettlement           the name of the settlement network; absent without one
//	mtrust                whom the port believes; absent until its document is there
//	mdocument/<hash>      size 8 ‖ bytes here 8 ‖ role 1
//	mchunk/<hash><n 8>    a chunk
//	mindexers             (author 32 ‖ validator key 32)*, ascending by author
//	mwriter/<key>         standing 1 ‖ who let it in 32, zero unless it joined by itself
//	mjoined               how many writers joined by themselves 8
//	mjoined/<key>         how many of them that writer let in 8
//	mnext                 the key that may become the admin
//	mcommand/<id>         body of a command that is not settled
//	mqueue/<key>          how many commands that author wrote 8
//	mqueue/<key><n 1>     the newest of them, by number modulo 256
//	mnumber/<id>          the number of the message of that entry 8
//	mposted/<n 8>         ts 8 ‖ entry 32 of a message
//	mrefused              how many entries were refused 8
//	mrefused/<n 1>        the newest of them, by number modulo 256
const ownSpace = "m"

func ownLeaf(name string, parts ...[]byte) []byte {
	return append([]byte(ownSpace+name), bytes.Join(parts, nil)...)
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// view reads a state. The first error of the storage is kept; after it everything
// is absent.
type view struct {
	from contract.Source
	err  error
}

func (v *view) leaf(key []byte) []byte {
	if v.err != nil {
		return nil
	}
	value, ok, err := v.from.Get(key)
	if v.err = err; err != nil || !ok {
		return nil
	}
	return value
}

func (v *view) own(name string, parts ...[]byte) []byte { return v.leaf(ownLeaf(name, parts...)) }

func (v *view) count(name string, parts ...[]byte) uint64 {
	if value := v.own(name, parts...); len(value) == 8 {
		return binary.BigEndian.Uint64(value)
	}
	return 0
}

// read decodes the value of a name and tells whether there is one. Only the machine
// writes what it reads so, and it fits.
func (v *view) read(name string, into any) bool {
	value := v.leaf(contract.Leaf(name))
	return value != nil && json.Unmarshal(value, into) == nil
}

func (v *view) is(name string, otherwise bool) bool {
	v.read(name, &otherwise)
	return otherwise
}

func (v *view) on(name string) bool {
	var text string
	return v.read(name, &text) && text == "on"
}

func (v *view) number(name string) (n uint64) {
	v.read(name, &n)
	return n
}

// subnet is the bootstrap key.
func (v *view) subnet() (key identity.PublicKey) {
	copy(key[:], v.own("subnet"))
	return key
}

// state is a state while one entry changes it.
type state struct {
	view
	draft  *contract.Draft
	entry  *feed.Entry
	id     feed.ID
	height uint64
}

func open(on contract.Source, e *feed.Entry, height uint64) *state {
	draft := contract.NewDraft(on)
	return &state{view: view{from: draft}, draft: draft, entry: e, id: e.ID(), height: height}
}

// set gives a name a value.
func (s *state) set(name string, value any) {
	text, err := json.Marshal(value)
	if err == nil {
		text, err = canon.JSON(text)
	}
	if err != nil {
		panic(fmt.Sprintf("the value of %s is not JSON: %v", name, err)) // a bug: the machine makes its values itself
	}
	s.draft.Set(contract.Leaf(name), text)
}

func (s *state) del(name string) { s.draft.Delete(contract.Leaf(name)) }

func (s *state) setOwn(value []byte, name string, parts ...[]byte) {
	s.draft.Set(ownLeaf(name, parts...), value)
}

func (s *state) delOwn(name string, parts ...[]byte) { s.draft.Delete(ownLeaf(name, parts...)) }

// next gives the number that a name counts, and counts on.
func (s *state) next(name string) uint64 {
	n := s.number(name)
	s.set(name, n+1)
	return n
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// author is who wrote the entry.
func (s *state) author() identity.PublicKey { return s.entry.Author }
