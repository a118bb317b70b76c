package bft

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// Hash is a SHA-256: of a transaction, a header or an application's state.
type Hash [32]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether the hash was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText gives 64 hex digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hex digits.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err == nil {
		*h = parsed
	}
	return err
}

// ParseHash reads 64 hex digits; anything else is [fault.Invalid].
func ParseHash(text string) (Hash, error) {
	var h Hash
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == len(h) {
		return Hash(raw), nil
	}
	return h, fault.New(fault.Invalid, "%.80q is no hash", text).
		WithHint("a hash is 64 hex digits")
}

// TxHash names a transaction.
func TxHash(tx []byte) Hash { return sha256.Sum256(tx) }

// Validator is one voter of a chain. Its key signs blocks and nothing else.
type Validator struct {
	Key   identity.PublicKey `json:"key"`
	Power int64              `json:"power"` // votes, 1 to 1e12
}

// Result is what an application says about one transaction: of a check, whether
// it may wait for a block; of an execution, what came of it. Code 0 is success.
// Log is for people and is no part of what the chain agrees on; Data has at most
// 1 MiB, or no proof of it is read.
type Result struct {
	Code uint32 `json:"code"`
	Data []byte `json:"data,omitempty"`
	Log  string `json:"log,omitempty"`
}

// Header is a block's header as far as callers need it.
type Header struct {
	ChainID  string    `json:"chain_id"`
	Height   int64     `json:"height"`
	Time     time.Time `json:"time"`
	Hash     Hash      `json:"hash"`
	Previous Hash      `json:"previous"` // hash of the header before; zero at height 1
	State    Hash      `json:"state"`    // the application's hash after the block before this one
	// The hashes of the sets that sign this block and the next one.
	Validators, NextValidators Hash
}

// Block is a confirmed block with what came of its transactions.
type Block struct {
	Header
	Txs     [][]byte
	Results []Result
	After   Hash // the application's hash after this block
}

// Outcome is where a transaction stands in the chain and what came of it.
type Outcome struct {
	Height int64  `json:"height"`
	Index  int    `json:"index"` // in its block
	Result Result `json:"result"`
}
