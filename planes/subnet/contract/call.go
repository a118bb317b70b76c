package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
)

// The budget of one call.
const (
	// MaxSteps is how many reads, writes and steps of its own a call has.
	MaxSteps = 10_000
	// MaxBytes is how many bytes of keys and values it reads and writes.
	MaxBytes = 1 << 20
	// MaxValue is the most bytes that one value has.
	MaxValue = 64 << 10
)

// A Call is one run of a function: who calls, with what, and the state it changes.
// It is valid until the function returns, and belongs to its goroutine.
//
// A method that cannot do what it is asked ends the call there and then, and
// nothing of it stays.
type Call struct {
	contract *Contract
	inv      Invocation
	draft    *Draft
	steps    int
	bytes    int
	ids      uint64

	failure string // why the call ended inside a method
	broken  error  // of the storage
}

// ended is what a method panics with after it noted why.
type ended struct{}

func (call *Call) fail(format string, args ...any) {
	if call.failure == "" {
		call.failure = clip(fmt.Sprintf(format, args...))
	}
	panic(ended{})
}

// Step counts n steps of the call's budget.
func (call *Call) Step(n int) {
	if n < 0 || n > call.steps {
		call.fail(failBudget)
	}
	call.steps -= n
}

func (call *Call) spend(bytes int) {
	call.Step(1)
	if bytes > call.bytes {
		call.fail(failBudget)
	}
	call.bytes -= bytes
}

// Caller is who called: the requester that paid for a transaction, the author of a
// message, the admin for a feature.
func (call *Call) Caller() identity.PublicKey { return call.inv.Caller }

// Validator is who settled the transaction; zero when nobody did.
func (call *Call) Validator() identity.PublicKey { return call.inv.Validator }

// Tx is the transaction's hash, or the entry's id, in hex.
func (call *Call) Tx() string { return hex.EncodeToString(call.inv.ID[:]) }

// Time is when the author says it wrote the entry. It cannot be dated far ahead, but
// it can lie in the past: use it for showing, and an oracle for deadlines.
func (call *Call) Time() time.Time { return time.UnixMilli(call.inv.TS).UTC() }

// ID gives a new id: 32 hex digits, the same on every peer, another one at every
// call.
func (call *Call) ID() string {
	call.Step(1)
	call.ids++
	sum := sha256.Sum256(canon.Preimage("intercom/subnet/id/v1", call.inv.ID[:], binary.BigEndian.AppendUint64(nil, call.ids)))
	return hex.EncodeToString(sum[:16])
}

// Get reads the value of a key as canonical JSON; nil when there is none. It may
// be any key of the state, also the system's or the chat's.
func (call *Call) Get(key string) json.RawMessage {
	if len(key) > MaxKey {
		call.fail("get(key): a key of %d bytes is above the limit of %d", len(key), MaxKey)
	}
	return call.leaf(Leaf(key))
}

// leaf reads one leaf; it is counted.
func (call *Call) leaf(key []byte) []byte {
	value, ok, err := call.draft.Get(key)
	if err != nil {
		call.broken = err
		panic(ended{})
	}
	call.spend(len(key) + len(value))
	if !ok {
		return nil
	}
	return bytes.Clone(value)
}

// Read decodes the value of a key and tells whether there is one.
func (call *Call) Read(key string, into any) bool {
	value := call.Get(key)
	if value == nil {
		return false
	}
	if err := json.Unmarshal(value, into); err != nil {
		call.fail("get(key): %s does not hold what is expected", key)
	}
	return true
}

// Put gives a key a value: anything that is JSON, at most [MaxValue] as text.
func (call *Call) Put(key string, value any) {
	call.own("put(key,value)", key)
	text, err := encode(value)
	switch {
	case err != nil:
		call.fail("put(key,value): the value of %s is not JSON", key)
	case len(text) > MaxValue:
		call.fail("put(key,value): the value of %s has %d bytes, more than %d", key, len(text), MaxValue)
	}
	call.spend(len(key) + len(text))
	call.index(key, (*index).insert)
	call.draft.Set(Leaf(key), text)
}

// Del removes a key; one that is not there is no error.
func (call *Call) Del(key string) {
	call.own("del(key)", key)
	call.index(key, (*index).remove)
	call.spend(len(key))
	call.draft.Delete(Leaf(key))
}

// own ends the call unless the key is one that the contract may write.
func (call *Call) own(what, key string) {
	switch {
	case SpaceOf(key) != Own:
		call.fail("%s: %sis reserved", what, key)
	case !wellFormed(key):
		call.fail("%s: %+.64q is no key", what, key)
	}
}

// index tells every collection that a key is in what happens to it.
func (call *Call) index(key string, do func(*index, string)) {
	for _, prefix := range call.contract.prefixes {
		if strings.HasPrefix(key, prefix) {
			do(&index{call: call, prefix: prefix}, key)
		}
	}
}

// Each visits the keys that begin with a prefix, behind the key after ("" for the
// first), in the order of their bytes, until visit answers false. The prefix is, or
// begins with, one that was declared by [Contract.Collection]. What visit itself
// adds may or may not be visited.
func (call *Call) Each(prefix, after string, visit func(key string, value json.RawMessage) (more bool)) {
	for _, declared := range call.contract.prefixes {
		if strings.HasPrefix(prefix, declared) {
			(&index{call: call, prefix: declared}).each(prefix, after, visit)
			return
		}
	}
	call.fail("each(prefix): %+.64q is not in a collection", prefix)
}
