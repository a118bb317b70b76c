package bft_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// album is an application that shows all it holds: its transactions in their
// order and the validators that were found guilty, whose hash is the state. It
// keeps the states of all heights.
type album struct {
	space *store.Space

	mu       sync.Mutex
	height   int64
	pages    [][]byte
	lengths  map[int64]int // pages after a height
	next     [][]byte
	nextAt   int64
	restored int // calls of Restore
}

func newAlbum(s *store.Store) *album {
	a := &album{space: s.Space("album"), lengths: map[int64]int{}}
	if raw, ok, err := a.space.Get([]byte("a")); err == nil && ok {
		a.height = int64(binary.BigEndian.Uint64(raw))
		a.pages = unbind(raw[8:])
		a.lengths[a.height] = len(a.pages)
	}
	return a
}

func bind(pages [][]byte) (out []byte) {
	for _, p := range pages {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return out
}

func unbind(raw []byte) (pages [][]byte) {
	for len(raw) >= 4 && uint32(len(raw)-4) >= binary.BigEndian.Uint32(raw) {
		n := 4 + binary.BigEndian.Uint32(raw)
		pages, raw = append(pages, raw[4:n]), raw[n:]
	}
	return pages
}

func hashOf(pages [][]byte) bft.Hash { return sha256.Sum256(bind(pages)) }

func (a *album) Last() (int64, bft.Hash, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.height, hashOf(a.pages), nil
}

func (a *album) Init(bft.Genesis) (bft.Hash, error) { return hashOf(nil), nil }

func (a *album) Check([]byte, bool) bft.Result { return bft.Result{} }

func (a *album) Execute(p bft.Proposal) (bft.Executed, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next, a.nextAt = append(slices.Clone(a.pages), p.Txs...), p.Height
	for _, key := range p.Guilty {
		a.next = append(a.next, key[:])
	}
	return bft.Executed{Results: make([]bft.Result, len(p.Txs)), State: hashOf(a.next)}, nil
}

func (a *album) Commit() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hold(a.nextAt, a.next)
}

func (a *album) hold(height int64, pages [][]byte) error {
	b := a.space.Batch()
	b.Set([]byte("a"), append(binary.BigEndian.AppendUint64(nil, uint64(height)), bind(pages)...))
	a.height, a.pages = height, pages
	a.lengths[height] = len(pages)
	return b.Apply()
}

// Piece gives three pages at a time.
func (a *album) Piece(height int64, after []byte) (piece, next []byte, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	length, ok := a.lengths[height]
	if !ok || (after != nil && len(after) != 1) {
		return nil, nil, fault.New(fault.NotFound, "no state of %d", height)
	}
	from := 0
	if after != nil {
		from = int(after[0])
	}
	to := min(from+3, length)
	if to < length {
		next = []byte{byte(to)}
	}
	return bind(a.pages[from:to]), next, nil
}

func (a *album) Restore(_ bft.Genesis, height int64, state bft.Hash, next func() ([]byte, error)) error {
	a.mu.Lock()
	a.restored++
	a.mu.Unlock()
	var pages [][]byte
	for {
		piece, err := next()
		if err != nil {
			return err
		}
		if piece == nil {
			break
		}
		pages = append(pages, unbind(piece)...)
	}
	if hashOf(pages) != state {
		return fault.New(fault.Invalid, "it is another album")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hold(height, pages)
}

// Query shows the whole album.
func (a *album) Query(path string, _ []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if path != "all" {
		return nil, fault.New(fault.NotFound, "no %q", path)
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(a.height)), bind(a.pages)...), nil
}

// readAlbum takes an answer of Query apart.
func readAlbum(raw []byte) (int64, bft.Hash, error) {
	if len(raw) < 8 {
		return 0, bft.Hash{}, errors.New("too short")
	}
	pages := unbind(raw[8:])
	if !bytes.Equal(bind(pages), raw[8:]) {
		return 0, bft.Hash{}, errors.New("no album")
	}
	return int64(binary.BigEndian.Uint64(raw)), hashOf(pages), nil
}

func (a *album) shows(page []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.pages, func(p []byte) bool { return bytes.Equal(p, page) })
}

func (a *album) names(key identity.PublicKey) bool { return a.shows(key[:]) }

// withAlbum makes a site run an album instead of counting.
func (s *site) withAlbum() *site {
	before := s.edit
	s.edit = func(c *bft.Config) {
		if before != nil {
			before(c)
		}
		s.album = newAlbum(s.store)
		c.App = s.album
	}
	return s
}
