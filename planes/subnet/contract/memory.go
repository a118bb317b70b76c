package contract

import (
	"encoding/json"
	"maps"
	"slices"
)

// A Memory is a state in memory: what a contract is tried on, by its tests or by
// whoever writes it. The zero Memory is of no use; see [NewMemory].
type Memory struct{ leaves map[string][]byte }

// NewMemory makes an empty state.
func NewMemory() *Memory { return &Memory{leaves: make(map[string][]byte)} }

// Get reads a leaf; it never fails.
func (m *Memory) Get(key []byte) (value []byte, ok bool, err error) {
	value, ok = m.leaves[string(key)]
	return value, ok, nil
}

// Set gives a leaf a value.
func (m *Memory) Set(key, value []byte) { m.leaves[string(key)] = value }

// Delete removes a leaf.
func (m *Memory) Delete(key []byte) { delete(m.leaves, string(key)) }

// Value is the value of a name, nil when there is none.
func (m *Memory) Value(name string) json.RawMessage { return m.leaves[string(Leaf(name))] }

// Names lists the names that have values, sorted.
func (m *Memory) Names() []string {
	var names []string
	for _, leaf := range slices.Sorted(maps.Keys(m.leaves)) {
		if name, ok := NameOf(leaf); ok {
			names = append(names, name)
		}
	}
	return names
}
