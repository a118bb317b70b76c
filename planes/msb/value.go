package msb

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
)

// amount is a decimal amount of TNK as its caller wrote it. A JSON number is
// taken by its literal digits, so that nothing passes through a float.
type amount string

// Schema is the rule of an amount. Its form is checked by the bus, whose errors
// are upstream's (upstream 2.10).
func (amount) Schema() op.Schema { return op.Schema{"type": []string{"string", "number"}} }

// UnmarshalJSON takes text or the digits of a number.
func (a *amount) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(a))
	}
	*a = amount(raw) // the schema has seen that it is a number
	return nil
}

// account is an account as a parameter: its address, or its key in hex.
type account identity.PublicKey

// Schema is the rule of an account.
func (account) Schema() op.Schema {
	return op.Schema{"type": "string", "pattern": `^\s*([0-9a-fA-F]{64}|[tT][rR][aA][cC]1[0-9a-zA-Z]{1,100})\s*$`}
}

// UnmarshalText reads an address, whose checksum must hold, or a key.
func (a *account) UnmarshalText(text []byte) error {
	word := strings.TrimSpace(string(text))
	parse := identity.ParseAddress
	if !strings.HasPrefix(strings.ToLower(word), "trac1") {
		parse = identity.ParsePublicKey
	}
	key, err := parse(word)
	if err != nil {
		return fault.New(fault.Invalid, "Invalid account address format: %q: %v", word, err).
			WithHint("an address looks like trac1… and its last characters are a checksum; copy it whole")
	}
	*a = account(key)
	return nil
}

// MarshalText writes the address.
func (a account) MarshalText() ([]byte, error) { return []byte(identity.PublicKey(a).Address()), nil }

// or gives the account, or what stands for none given.
func (a account) or(own identity.PublicKey) identity.PublicKey {
	if key := identity.PublicKey(a); !key.IsZero() {
		return key
	}
	return own
}

// txHash is the hash of a transaction as a parameter.
type txHash bus.ID

// Schema is the rule of a hash.
func (txHash) Schema() op.Schema {
	return op.Schema{"type": "string", "pattern": `^\s*[0-9a-fA-F]{64}\s*$`}
}

// UnmarshalText reads 64 hex digits.
func (h *txHash) UnmarshalText(text []byte) error {
	id, err := parseID(strings.TrimSpace(string(text)))
	*h = txHash(id)
	return err
}

// MarshalText writes 64 hex digits.
func (h txHash) MarshalText() ([]byte, error) { return []byte(bus.ID(h).String()), nil }

func parseID(text string) (id bus.ID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, fault.New(fault.Invalid, "Invalid transaction hash format: %.80q", text).WithHint("a hash has 64 hex digits")
	}
	return bus.ID(raw), nil
}

// hexBytes is a public key or a proof as a parameter.
type hexBytes []byte

// Schema is the rule of bytes in hex.
func (hexBytes) Schema() op.Schema {
	return op.Schema{"type": "string", "pattern": `^([0-9a-fA-F]{2}){1,64}$`}
}

// UnmarshalText reads hex.
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// MarshalText writes hex.
func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

// callKey is an idempotency key.
type callKey string

// Schema is the rule of a key.
func (callKey) Schema() op.Schema {
	return op.Schema{"type": "string", "minLength": 1, "maxLength": 100}
}

// inBox is the key in the outbox, where keys of calls and of the faucet do not meet.
func (k callKey) inBox() string {
	if k == "" {
		return ""
	}
	return "call " + string(k)
}

// height is a block's height as a parameter.
type height int64

// Schema is the rule of a height.
func (height) Schema() op.Schema { return op.Schema{"type": "integer", "minimum": 0} }
