package sealed

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
)

// RecordSize is the length of an encoded record.
const RecordSize = 32 + 8 + 16 + 8 + 32 + 32 + 64

const recordTag = "intercom/sc/key/v1"

// maxEpoch leaves room for epochs to come; a record beyond it is refused.
const maxEpoch = 1 << 62

// Record says that a key belongs to an epoch of a channel.
type Record struct {
	Channel Channel
	Epoch   uint64 // 1 is the first
	KID     KID
	Created int64    // the inviter's clock, ms since 1970
	Honours [32]byte // HashRevocations of those it honours
	Inviter identity.PublicKey
	Sig     [64]byte // the inviter's
}

// Signer signs as this peer.
type Signer interface {
	PublicKey() identity.PublicKey
	Sign(msg []byte) []byte
}

// NewRecord signs the record of a key.
func NewRecord(signer Signer, ch Channel, epoch uint64, kid KID, honours [32]byte, now time.Time) Record {
	r := Record{Channel: ch, Epoch: epoch, KID: kid, Created: now.UnixMilli(), Honours: honours, Inviter: signer.PublicKey()}
	copy(r.Sig[:], signer.Sign(r.preimage()))
	return r
}

func (r *Record) preimage() []byte {
	return canon.Preimage(recordTag, r.Channel[:], u64(r.Epoch), r.KID[:], u64(uint64(r.Created)), r.Honours[:], r.Inviter[:])
}

// Verify tells whether the inviter that the record names has signed it. Whether
// that one may is for the [Gate].
func (r *Record) Verify() bool { return identity.Verify(r.Inviter, r.preimage(), r.Sig[:]) }

// Compare orders records: the greater (epoch, kid) is the one that counts.
func (r *Record) Compare(other *Record) int {
	if c := cmp.Compare(r.Epoch, other.Epoch); c != 0 {
		return c
	}
	return bytes.Compare(r.KID[:], other.KID[:])
}

// Encode writes the record in its one form, [RecordSize] bytes.
func (r *Record) Encode() []byte {
	return slices.Concat(r.Channel[:], u64(r.Epoch), r.KID[:], u64(uint64(r.Created)), r.Honours[:], r.Inviter[:], r.Sig[:])
}

var errRecord = errors.New("not a key record")

// DecodeRecord reads what Encode wrote. It checks the form and no signature.
func DecodeRecord(data []byte) (Record, error) {
	var r Record
	if len(data) != RecordSize {
		return Record{}, errRecord
	}
	data = data[copy(r.Channel[:], data):]
	r.Epoch, data = binary.BigEndian.Uint64(data), data[8:]
	data = data[copy(r.KID[:], data):]
	created := binary.BigEndian.Uint64(data)
	data = data[8:]
	data = data[copy(r.Honours[:], data):]
	data = data[copy(r.Inviter[:], data):]
	copy(r.Sig[:], data)
	if r.Epoch == 0 || r.Epoch > maxEpoch || created > 1<<53 {
		return Record{}, errRecord
	}
	r.Created = int64(created)
	return r, nil
}

// HashRevocations is the hash of a set of encoded revocations, whatever their
// order.
func HashRevocations(set [][]byte) [32]byte {
	sorted := slices.Clone(set)
	slices.SortFunc(sorted, bytes.Compare)
	return sha256.Sum256(canon.Preimage("intercom/sc/revocations/v1", slices.CompactFunc(sorted, bytes.Equal)...))
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
