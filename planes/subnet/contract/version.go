package contract

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"intercom/core/canon"
)

// A Version names what a contract does. Peers of one subnet have the same one.
type Version [sha256.Size]byte

// String is the lower-case hexadecimal form.
func (v Version) String() string { return hex.EncodeToString(v[:]) }

// rules is raised when the package itself comes to other results for the same
// contract: budgets, leaves, helpers.
const rules = 1

// Version is the hash over name, number, schemas, collections and sources.
func (c *Contract) Version() Version {
	fields := [][]byte{
		binary.BigEndian.AppendUint32(nil, rules), []byte(c.name),
		binary.BigEndian.AppendUint32(nil, c.number), c.Schema(),
	}
	for _, prefix := range c.prefixes {
		fields = append(fields, []byte(prefix))
	}
	return sha256.Sum256(canon.Preimage("intercom/subnet/contract/v1", append(fields, c.sources...)...))
}

// Name is the contract's name.
func (c *Contract) Name() string { return c.name }

// Schema describes the contract as canonical JSON: its functions and features with
// the JSON Schema of what they take, and whether it sees messages.
func (c *Contract) Schema() json.RawMessage {
	type entry struct {
		About string         `json:"about"`
		Value map[string]any `json:"value"`
	}
	describe := func(group map[string]*function) map[string]entry {
		out := make(map[string]entry, len(group))
		for name, f := range group {
			out[name] = entry{f.about, f.in.schema()}
		}
		return out
	}
	text, err := encode(map[string]any{
		"contract": c.name, "number": c.number, "messages": c.message != nil, "collections": append([]string{}, c.prefixes...),
		"functions": describe(c.functions), "features": describe(c.features),
	})
	if err != nil {
		panic("contract: a schema is not JSON: " + err.Error())
	}
	return text
}

// Functions lists the functions that transactions may call, by name.
func (c *Contract) Functions() []string { return slices.Sorted(maps.Keys(c.functions)) }

// Features lists the features, by name.
func (c *Contract) Features() []string { return slices.Sorted(maps.Keys(c.features)) }

// encode is the canonical text of a value.
func encode(value any) (json.RawMessage, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return canon.JSON(text)
}
