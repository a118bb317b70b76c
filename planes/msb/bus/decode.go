package bus

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"intercom/core/identity"
)

// Decode reads the bytes of a transaction, which have one form only; see
// [Tx.Preimage]. It does not check signatures. What it cannot read gets the code
// TX_INVALID_PAYLOAD, OPERATION_TYPE_UNKNOWN or SCHEMA_VALIDATION_FAILED.
func Decode(raw []byte) (*Signed, Result) {
	if len(raw) > MaxTx {
		return nil, refuse(TxInvalidPayload, "Payload of %d bytes is above the limit of %d.", len(raw), MaxTx)
	}
	size := len(raw) - len(Signed{}.Signature)
	r := reader{}
	if size > 0 {
		r.rest = raw[:size]
	}
	tag := binary.BigEndian.AppendUint16(nil, uint16(len(tagTx)))
	if !r.literal(append(tag, tagTx...)) {
		return nil, refuse(TxInvalidPayload, "Payload is invalid.")
	}
	network, kind, requester, nonce, expiry := r.field(), r.field(), r.field(), r.field(), r.field()
	if r.broken || len(network) == 0 || len(network) > MaxNetwork || len(kind) != 1 ||
		len(requester) != 32 || len(nonce) != len(Nonce{}) || len(expiry) != 8 {
		return nil, refuse(TxInvalidPayload, "Payload is invalid.")
	}
	form, known := forms[Kind(kind[0])]
	if !known {
		return nil, refuse(OperationTypeUnknown, "Operation type %d is unknown.", kind[0])
	}
	fields := make([][]byte, len(form.sizes))
	for i, size := range form.sizes {
		fields[i] = r.field()
		if len(fields[i]) != size || size != amountSize && empty(fields[i]) {
			return nil, refuse(SchemaValidationFailed, "Field %d of %s is invalid.", i+1, form.name)
		}
	}
	if r.broken || len(r.rest) > 0 || empty(requester) || empty(nonce) {
		return nil, refuse(SchemaValidationFailed, "The fields of %s are invalid.", form.name)
	}
	preimage := bytes.Clone(raw[:size])
	return &Signed{
		Tx: Tx{
			Network:   string(network),
			Requester: identity.PublicKey(requester),
			Nonce:     Nonce(nonce),
			Expiry:    binary.BigEndian.Uint64(expiry),
			Body:      form.read(fields),
		},
		ID:        ID(sha256.Sum256(preimage)),
		Signature: [64]byte(raw[size:]),
		preimage:  preimage,
	}, Result{}
}

func empty(field []byte) bool {
	for _, b := range field {
		if b != 0 {
			return false
		}
	}
	return true
}

// reader takes length-prefixed fields; when they end too early it is broken and
// gives nothing.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) literal(want []byte) bool {
	rest, ok := bytes.CutPrefix(r.rest, want)
	r.rest = rest
	return ok
}

func (r *reader) field() []byte {
	if len(r.rest) < 4 || uint64(binary.BigEndian.Uint32(r.rest)) > uint64(len(r.rest)-4) {
		r.rest, r.broken = nil, true
		return nil
	}
	size := int(binary.BigEndian.Uint32(r.rest))
	field := r.rest[4 : 4+size]
	r.rest = r.rest[4+size:]
	return field
}
