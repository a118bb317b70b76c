package bft

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cometbft/cometbft/types"

	"intercom/core/canon"
	"intercom/core/fault"
)

// Limits of a genesis. The application's part is meant for balances and
// settings, not for a database.
const (
	MaxGenesis    = 16 << 20
	MaxValidators = 128
	maxPower      = 1_000_000_000_000
	maxChainID    = 50
	minBlockBytes = 1 << 20 // the signatures of MaxValidators must fit
	maxBlockBytes = 32 << 20
)

// DefaultBlockBytes is the size of a block when a genesis names none.
const DefaultBlockBytes = 8 << 20

// Genesis is where a chain begins, and all that somebody who follows it must
// believe without proof.
type Genesis struct {
	ChainID    string      `json:"chain_id"`
	Time       time.Time   `json:"time"`
	Validators []Validator `json:"validators"`

	// BlockBytes bounds a block with its header and signatures: too low and
	// transactions wait, too high and one block stops the others' votes. 0 is
	// DefaultBlockBytes.
	BlockBytes int64 `json:"block_bytes"`

	// App is what the application starts from; the engine does not read it.
	App []byte `json:"app"`
}

// RandomChainID makes the id of a development network: no two are alike, so
// nothing signed for one holds on another.
func RandomChainID(prefix string) string {
	var raw [8]byte
	rand.Read(raw[:]) // never fails
	return prefix + "-" + hex.EncodeToString(raw[:])
}

// Encode is the genesis as text: the same bytes for the same genesis.
func (g Genesis) Encode() []byte {
	g.Time = g.Time.UTC()
	if g.BlockBytes == 0 {
		g.BlockBytes = DefaultBlockBytes
	}
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("bft: a genesis has no text: %v", err)) // a year past 9999; Check refuses it
	}
	return append(text, '\n')
}

// Hash names the genesis.
func (g Genesis) Hash() Hash {
	return sha256.Sum256(canon.Preimage("intercom/bft/genesis/v1", g.Encode()))
}

// ParseGenesis reads what Encode wrote, or a person did; unknown members,
// and what Check refuses, are [fault.Invalid].
func ParseGenesis(text []byte) (Genesis, error) {
	var g Genesis
	if len(text) > MaxGenesis {
		return g, fault.New(fault.Limited, "a genesis of %d bytes", len(text)).
			WithHint("the limit is %d bytes", MaxGenesis)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&g)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = fmt.Errorf("more text behind it")
		}
	}
	if err != nil {
		return Genesis{}, fault.New(fault.Invalid, "no genesis: %v", err).
			WithHint("take the file from those who run the network")
	}
	if g.BlockBytes == 0 {
		g.BlockBytes = DefaultBlockBytes
	}
	return g, g.Check()
}

// Check tells what is wrong with a genesis.
func (g Genesis) Check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "genesis: "+format, args...).WithHint("write another genesis")
	}
	plain := func(r rune) bool {
		return r < '0' || r > 'z' || (r > '9' && r < 'A') || (r > 'Z' && r < 'a' && r != '_')
	}
	switch {
	case g.ChainID == "" || len(g.ChainID) > maxChainID || strings.IndexFunc(strings.ReplaceAll(g.ChainID, "-", ""), plain) >= 0:
		return wrong("chain id %.60q is not 1 to %d of a-z A-Z 0-9 - _", g.ChainID, maxChainID)
	case g.Time.Year() < 2000 || g.Time.Year() > 9000:
		return wrong("time %s", g.Time)
	case g.BlockBytes != 0 && (g.BlockBytes < minBlockBytes || g.BlockBytes > maxBlockBytes):
		return wrong("blocks of %d bytes, not %d to %d", g.BlockBytes, minBlockBytes, maxBlockBytes)
	}
	if err := checkSet(g.Validators); err != nil {
		return wrong("%w", err)
	}
	return nil
}

// doc is the genesis as the engine takes it. The application's part stays out:
// it is given from here.
func (g Genesis) doc() *types.GenesisDoc {
	params := types.DefaultConsensusParams()
	params.Block.MaxBytes = g.BlockBytes
	if g.BlockBytes == 0 {
		params.Block.MaxBytes = DefaultBlockBytes
	}
	params.Evidence.MaxBytes = min(params.Evidence.MaxBytes, params.Block.MaxBytes/8)
	doc := &types.GenesisDoc{
		GenesisTime:     g.Time.UTC(),
		ChainID:         g.ChainID,
		InitialHeight:   1,
		ConsensusParams: params,
	}
	for _, v := range g.Validators {
		key := engineKey(v.Key)
		doc.Validators = append(doc.Validators, types.GenesisValidator{Address: key.Address(), PubKey: key, Power: v.Power})
	}
	return doc
}
