package machine

import (
	"crypto/sha256"
	"encoding/binary"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// The roles of a document.
const (
	roleChain = iota
	roleGenesis
	roleTrust
)

// Begin makes the state that the first entry describes. A [fault.Invalid] says that
// it is no first entry of this subnet; a [fault.Conflict] that it was made for
// another contract, or that the subnet has begun; a [fault.Unavailable] that the
// machine has no port for its settlements.
func (m *Machine) Begin(on contract.Storage, e *feed.Entry, height uint64) error {
	body, err := m.form(e)
	if err != nil {
		return err
	}
	first, ok := body.(*First)
	if !ok {
		return fault.New(fault.Invalid, "%s is no first entry", body.Kind()).WithHint("look for the one of seq 0 without parents")
	}
	s := open(on, e, height)
	if begun := s.own("subnet") != nil; s.err != nil {
		return s.err
	} else if begun {
		return conflict("subnet %s has begun", m.subnet).WithHint("a second first entry of one bootstrap key is a fork; ask its owner")
	}
	if err := m.suits(m.subnet, first.Contract, first.Settlement != nil); err != nil {
		return err
	}
	s.first(first)
	if s.err != nil {
		return s.err
	}
	s.draft.Keep(on)
	return nil
}

// Suits tells whether the machine can go on with a state that it did not begin, as
// after a restart or from a snapshot: nil, a [fault.Conflict] when it is another
// subnet's or was made for another contract, or a [fault.Unavailable] when it needs a
// port.
func (m *Machine) Suits(from contract.Source) error {
	s, err := SettingsOf(from)
	if err != nil {
		return err
	}
	return m.suits(s.Subnet, s.Contract, s.Settlement != "")
}

func (m *Machine) suits(subnet identity.PublicKey, version contract.Version, settles bool) error {
	switch mine := m.contract.Version(); {
	case subnet != m.subnet:
		return conflict("the state is of subnet %s, not of %s", subnet, m.subnet).WithHint("look for the right store")
	case mine != version:
		return conflict("the subnet runs contract version %s, this peer %s (%s)", version, mine, m.contract.Name()).
			WithHint("run the software that the subnet was made with")
	case settles && m.port == nil:
		return fault.New(fault.Unavailable, "the subnet settles its transactions, which this peer cannot follow").
			WithHint("start it with settlement")
	}
	return nil
}

func (s *state) first(b *First) {
	s.setOwn(s.entry.Author[:], "subnet")
	s.setOwn(b.Contract[:], "contract")
	s.document(b.Chain, roleChain)
	if b.Settlement != nil {
		s.setOwn([]byte(b.Settlement.Network), "settlement")
		s.document(b.Settlement.Genesis, roleGenesis)
		s.document(b.Settlement.Trust, roleTrust)
	}
	s.admitWriter(s.entry.Author, identity.PublicKey{})
	for _, x := range b.Indexers {
		s.admitWriter(x.Author, identity.PublicKey{})
	}
	for _, key := range b.Writers {
		s.admitWriter(key, identity.PublicKey{})
	}
	s.setIndexers(b.Indexers)
}

// document remembers what the first entry names, whole or for its chunks to come.
func (s *state) document(d Document, role byte) {
	s.setOwn(append(append(u64(d.Size), u64(uint64(len(d.Inline)))...), role), "document/", d.Hash[:])
	if len(d.Inline) > 0 {
		s.setOwn(d.Inline, "chunk/", d.Hash[:], u64(0))
		s.complete(d.Hash, role, d.Inline)
	}
}

// complete is called when all of a document is there.
func (s *state) complete(hash [32]byte, role byte, whole []byte) {
	if role == roleTrust && sha256.Sum256(whole) == hash {
		s.setOwn(whole, "trust")
	}
}

// chunk takes a part of a document; the document's own author sends it.
func (s *state) chunk(b *Chunk) *fault.Error {
	meta := s.own("document/", b.Document[:])
	if s.author() != s.subnet() {
		return denied("%s is not the bootstrap author", s.author())
	}
	if len(meta) != 17 {
		return fault.New(fault.NotFound, "the first entry names no document %x", b.Document)
	}
	size, have := binary.BigEndian.Uint64(meta), binary.BigEndian.Uint64(meta[8:])
	offset := b.Index * ChunkSize
	switch {
	case b.Index > MaxDocument/ChunkSize || offset >= size || uint64(len(b.Data)) != min(ChunkSize, size-offset):
		return fault.New(fault.Invalid, "chunk %d of %d bytes does not fit into a document of %d", b.Index, len(b.Data), size)
	case have != offset:
		return conflict("chunk %d comes when %d bytes are there", b.Index, have).WithHint("chunks come in order, each once")
	}
	s.setOwn(b.Data, "chunk/", b.Document[:], u64(b.Index))
	have += uint64(len(b.Data))
	s.setOwn(append(append(u64(size), u64(have)...), meta[16]), "document/", b.Document[:])
	if have == size {
		s.complete(b.Document, meta[16], s.assemble(b.Document, size))
	}
	return nil
}

func (v *view) assemble(hash [32]byte, size uint64) []byte {
	var whole []byte
	for i := uint64(0); uint64(len(whole)) < size; i++ {
		part := v.own("chunk/", hash[:], u64(i))
		if len(part) == 0 {
			return nil
		}
		whole = append(whole, part...)
	}
	return whole
}

// DocumentIn gives the bytes that the first entry named by that hash; ok is false
// while they are not all there.
func DocumentIn(from contract.Source, hash [32]byte) (whole []byte, ok bool, err error) {
	v := view{from: from}
	meta := v.own("document/", hash[:])
	if len(meta) != 17 || binary.BigEndian.Uint64(meta) != binary.BigEndian.Uint64(meta[8:]) {
		return nil, false, v.err
	}
	whole = v.assemble(hash, binary.BigEndian.Uint64(meta))
	return whole, v.err == nil && sha256.Sum256(whole) == hash, v.err
}
