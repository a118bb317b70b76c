package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"intercom/core/identity"
)

// Decode reads the one encoding of an entry, and nothing else. It checks every
// rule that can be read from the entry alone, but not the signature, which
// [Feeds.Add] does. The entry shares no memory with raw.
func Decode(raw []byte) (*Entry, error) {
	if len(raw) < fixedSize || len(raw) > MaxEntry {
		return nil, invalid("%d bytes", len(raw))
	}
	in := fields{raw: raw[:len(raw)-sigSize]}
	in.tag()
	e := &Entry{
		Feed:    FeedID(in.exactly(sha256.Size)),
		Author:  identity.PublicKey(in.exactly(sha256.Size)),
		Seq:     binary.BigEndian.Uint64(in.exactly(8)),
		Height:  binary.BigEndian.Uint64(in.exactly(8)),
		Parents: in.parents(),
		TS:      int64(binary.BigEndian.Uint64(in.exactly(8))),
		Body:    bytes.Clone(in.any(MaxBody)),
		Sig:     [sigSize]byte(raw[len(raw)-sigSize:]),
	}
	if in.broken || len(in.raw) > 0 {
		return nil, invalid("fields of the wrong size")
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e, nil
}

// fields reads length-prefixed fields. After one that is not as it must be it
// is broken and gives zeros.
type fields struct {
	raw    []byte
	broken bool
}

func (f *fields) tag() {
	prefix := append(binary.BigEndian.AppendUint16(nil, uint16(len(tag))), tag...)
	if !bytes.HasPrefix(f.raw, prefix) {
		f.broken = true
		return
	}
	f.raw = f.raw[len(prefix):]
}

// any gives a field of at most that many bytes.
func (f *fields) any(limit int) []byte {
	if f.broken || len(f.raw) < 4 {
		f.broken = true
		return nil
	}
	size := binary.BigEndian.Uint32(f.raw)
	if uint64(size) > uint64(limit) || int(size) > len(f.raw)-4 {
		f.broken = true
		return nil
	}
	field := f.raw[4 : 4+size]
	f.raw = f.raw[4+size:]
	return field
}

// exactly gives a field of that many bytes, zeros if it is not.
func (f *fields) exactly(size int) []byte {
	field := f.any(size)
	if len(field) != size {
		f.broken = true
		return make([]byte, size)
	}
	return field
}

func (f *fields) parents() []ID {
	field := f.any(MaxParents * sha256.Size)
	if len(field)%sha256.Size != 0 {
		f.broken = true
		return nil
	}
	var parents []ID
	for ; len(field) > 0; field = field[sha256.Size:] {
		parents = append(parents, ID(field[:sha256.Size]))
	}
	return parents
}
