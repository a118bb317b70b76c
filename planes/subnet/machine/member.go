package machine

import (
	"bytes"
	"slices"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// A standing is whether a key may write.
type standing byte

const (
	writing standing = 1 + iota
	removed          // and remembered: what it wrote before may still come
)

// How many writers may join by themselves, in all and let in by one writer. One
// that is removed makes room.
const (
	MaxJoined       = 1024
	MaxJoinedByEach = 128
)

// writer tells how a key stands, if it is known.
func (v *view) writer(key identity.PublicKey) (standing, bool) {
	record := v.own("writer/", key[:])
	if len(record) != 33 {
		return 0, false
	}
	return standing(record[0]), true
}

// inviter is who let a key in that joined by itself; zero for others.
func (v *view) inviter(key identity.PublicKey) (by identity.PublicKey) {
	if record := v.own("writer/", key[:]); len(record) == 33 {
		copy(by[:], record[1:])
	}
	return by
}

// admitWriter lets a key write; who brought its request in, if it asked itself.
func (s *state) admitWriter(key, by identity.PublicKey) {
	if now, _ := s.writer(key); now != writing {
		s.set("wrl", s.number("wrl")+1)
	}
	s.setOwn(append([]byte{byte(writing)}, by[:]...), "writer/", key[:])
	if !by.IsZero() {
		s.setOwn(u64(s.count("joined")+1), "joined")
		s.setOwn(u64(s.count("joined/", by[:])+1), "joined/", by[:])
	}
	s.del("bnd/" + key.String())
}

func (s *state) addWriter(b *AddWriter) *fault.Error {
	if now, _ := s.writer(b.Key); now == writing {
		return conflict("%s is a writer already", b.Key)
	}
	return s.byAdmin(func() { s.admitWriter(b.Key, identity.PublicKey{}) })
}

func (s *state) removeWriter(b *RemoveWriter) *fault.Error {
	if refused := s.adminOnly(); refused != nil {
		return refused
	}
	switch now, _ := s.writer(b.Key); {
	case b.Key == s.subnet():
		return conflict("%s is the bootstrap author, which stays a writer", b.Key)
	case b.Key == s.author():
		return conflict("the admin cannot remove itself").WithHint("name another admin with update_admin first")
	case s.isIndexer(b.Key):
		return conflict("%s is an indexer", b.Key).WithHint("remove_indexer first")
	case now != writing && s.is("bnd/"+b.Key.String(), false):
		return conflict("%s is removed and banned already", b.Key)
	case now == writing:
		s.dismiss(b.Key)
	}
	s.set("bnd/"+b.Key.String(), true)
	return nil
}

// dismiss takes the right to write away.
func (s *state) dismiss(key identity.PublicKey) {
	if by := s.inviter(key); !by.IsZero() {
		s.setOwn(u64(s.count("joined")-1), "joined")
		s.setOwn(u64(s.count("joined/", by[:])-1), "joined/", by[:])
	}
	s.set("wrl", s.number("wrl")-1)
	s.setOwn(append([]byte{byte(removed)}, make([]byte, 32)...), "writer/", key[:])
}

// join lets in who asked for it: the request is the key's own, for this subnet.
func (s *state) join(b *Join) *fault.Error {
	key, author := b.Request.Key, s.author()
	now, _ := s.writer(key)
	switch {
	case !s.on("auto_add_writers"):
		return denied("writers are not added automatically").WithHint("the admin allows it with set_auto_add_writers, or adds one with add_writer")
	case now == writing:
		return conflict("%s is a writer already", key)
	case now == removed || s.is("bnd/"+key.String(), false):
		return denied("%s is banned", key).WithHint("only the admin lifts that, with add_writer")
	case b.Request.Until < s.height:
		return denied("the request of %s was good up to block %d, and this is %d", key, b.Request.Until, s.height).WithHint("ask again")
	case s.count("joined") >= MaxJoined:
		return fault.New(fault.Limited, "%d writers joined by themselves, which is the most", MaxJoined).WithHint("the admin adds more with add_writer")
	case s.count("joined/", author[:]) >= MaxJoinedByEach:
		return fault.New(fault.Limited, "%s let %d writers in, which is the most", author, MaxJoinedByEach).WithHint("ask another writer")
	case !b.Request.holds(s.subnet()):
		return denied("the request of %s is not signed by it for this subnet", key)
	}
	s.admitWriter(key, author)
	return nil
}

// indexers lists the indexers, ascending by author.
func (v *view) indexers() []Indexer {
	raw := v.own("indexers")
	list := make([]Indexer, 0, len(raw)/64)
	for len(raw) >= 64 {
		list = append(list, Indexer{identity.PublicKey(raw[:32]), identity.PublicKey(raw[32:64])})
		raw = raw[64:]
	}
	return list
}

func (s *state) setIndexers(list []Indexer) {
	slices.SortFunc(list, func(a, b Indexer) int { return bytes.Compare(a.Author[:], b.Author[:]) })
	var raw []byte
	for _, x := range list {
		raw = append(append(raw, x.Author[:]...), x.Key[:]...)
	}
	s.setOwn(raw, "indexers")
}

func (v *view) isIndexer(author identity.PublicKey) bool {
	return slices.ContainsFunc(v.indexers(), func(x Indexer) bool { return x.Author == author })
}

func (s *state) addIndexer(b *AddIndexer) *fault.Error {
	if refused := s.adminOnly(); refused != nil {
		return refused
	}
	x, list := b.Consent.Indexer, s.indexers()
	at := slices.IndexFunc(list, func(other Indexer) bool { return other.Author == x.Author })
	switch {
	case at >= 0 && list[at].Key == x.Key:
		return conflict("%s is an indexer already", x.Author)
	case slices.ContainsFunc(list, func(other Indexer) bool { return other.Key == x.Key }):
		return conflict("validator key %s is another indexer's", x.Key)
	case at < 0 && len(list) >= MaxIndexers:
		return fault.New(fault.Limited, "the subnet has %d indexers, which is the most", MaxIndexers)
	case b.Consent.Until < s.height:
		return denied("the consent of %s was good up to block %d, and this is %d", x.Author, b.Consent.Until, s.height).WithHint("ask it again")
	case !b.Consent.holds(s.subnet()):
		return denied("%s did not consent to be an indexer of this subnet with that validator key", x.Author)
	}
	s.let(x.Author)
	if at >= 0 {
		list = slices.Delete(list, at, at+1)
	}
	s.setIndexers(append(list, x))
	return nil
}

func (s *state) removeIndexer(b *RemoveIndexer) *fault.Error {
	if s.author() != b.Author {
		if refused := s.adminOnly(); refused != nil {
			return refused
		}
	}
	list := s.indexers()
	at := slices.IndexFunc(list, func(x Indexer) bool { return x.Author == b.Author })
	switch {
	case at < 0:
		return fault.New(fault.NotFound, "%s is no indexer", b.Author)
	case len(list) == 1:
		return conflict("%s is the last indexer: without it nothing would be confirmed any more", b.Author).WithHint("add another one first")
	}
	s.setIndexers(slices.Delete(list, at, at+1))
	return nil
}

// Guilty takes the votes of validators that are proven to have voted twice, but for
// the last one's. The error is one of the storage.
func (m *Machine) Guilty(on contract.Storage, keys []identity.PublicKey, _ uint64) error {
	s := &state{view: view{from: on}, draft: contract.NewDraft(on)}
	before := s.indexers()
	list := slices.Clone(before)
	for _, key := range keys {
		if at := slices.IndexFunc(list, func(x Indexer) bool { return x.Key == key }); at >= 0 && len(list) > 1 {
			list = slices.Delete(list, at, at+1)
		}
	}
	if s.err != nil || len(list) == len(before) {
		return s.err
	}
	s.setIndexers(list)
	s.draft.Keep(on)
	return nil
}
