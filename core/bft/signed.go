package bft

import (
	"fmt"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
)

// Limits of what is read from others: a header has a fixed shape, and the
// signatures of [MaxValidators] fit.
const (
	maxHeader = 2 << 10
	maxSigned = 64 << 10
)

func encodeSigned(header *types.Header, commit *types.Commit) ([]byte, error) {
	return (&types.SignedHeader{Header: header, Commit: commit}).ToProto().Marshal()
}

func decodeSigned(raw []byte) (*types.SignedHeader, error) {
	if len(raw) > maxSigned {
		return nil, errMalformed
	}
	var message cmtproto.SignedHeader
	if err := strict(raw, &message); err != nil {
		return nil, err
	}
	signed, err := types.SignedHeaderFromProto(&message)
	if err != nil {
		return nil, err
	}
	if signed.Header == nil || signed.Commit == nil || len(signed.AppHash) != len(Hash{}) {
		return nil, errMalformed
	}
	return signed, nil
}

// verify checks that more than 2/3 of the set that Trust holds for a header's
// height have signed it.
func (t Trust) verify(signed *types.SignedHeader) error {
	if err := signed.ValidateBasic(t.ChainID); err != nil {
		return err
	}
	set, ok := t.at(signed.Height)
	if !ok {
		return fmt.Errorf("no set of validators is known for height %d", signed.Height)
	}
	voters := engineSet(set.Validators)
	if string(voters.Hash()) != string(signed.ValidatorsHash) {
		return fmt.Errorf("header %d names validators %x, trusted are %x", signed.Height, signed.ValidatorsHash, voters.Hash())
	}
	return types.VerifyCommitLightAllSignatures(t.ChainID, voters, signed.Commit.BlockID, signed.Height, signed.Commit)
}

// VerifyHeader checks a signed header, as [Node.SignedHeader] gives it, against
// what is trusted. What does not hold is [fault.Invalid].
func VerifyHeader(t Trust, signed []byte) (Header, error) {
	sh, err := t.open(signed)
	if err != nil {
		return Header{}, err
	}
	return ourHeader(sh.Header), nil
}

func (t Trust) open(raw []byte) (*types.SignedHeader, error) {
	signed, err := decodeSigned(raw)
	if err == nil {
		err = t.verify(signed)
	}
	if err != nil {
		return nil, unproven("header", err)
	}
	return signed, nil
}

// lie marks what a server sent and cannot stand, apart from other mistakes.
type lie struct{ error }

func (l lie) Unwrap() error { return l.error }

func unproven(what string, err error) error {
	return fault.New(fault.Invalid, "%s does not hold: %w", what, lie{err}).
		WithHint("whoever sent it is wrong or lies; ask another")
}
