package bft

import (
	"encoding/binary"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// Limits of a proof: the paths of 2^32 transactions, and what a transaction
// and its result may hold.
const (
	maxPath  = 32
	maxTx    = maxBlockBytes / 2
	maxData  = 1 << 20
	maxProof = maxHeader + maxSigned + maxTx + maxData + 2*maxPath*32 + 64
)

// Proven is what a proof proves: that a transaction is in a block, where, and
// what came of it.
type Proven struct {
	Header Header // of the block that holds it
	Next   Header // of the block after, whose signatures prove both; Next.State is the state after the transaction
	Index  int
	Total  int // transactions in the block
	Tx     []byte
	Result Result // without its log
}

// proof is an inclusion before it is believed. The block after names the block
// by hash and carries the results by hash, so one set of signatures is enough.
//
//	1 ‖ blob header H ‖ blob signed header H+1 ‖ blob tx ‖ index u32 ‖ total u32 ‖
//	path ‖ code u32 ‖ blob data ‖ path          (path: count u8 ‖ hash*)
type proof struct {
	header       *types.Header
	next         *types.SignedHeader
	tx           []byte
	index, total uint32
	txPath       [][]byte
	code         uint32
	data         []byte
	resultPath   [][]byte
}

func encodeProof(block *types.Block, index int, results types.ABCIResults, next []byte) ([]byte, error) {
	header, err := block.Header.ToProto().Marshal()
	if err != nil {
		return nil, err
	}
	if index >= len(block.Txs) || len(results) != len(block.Txs) {
		return nil, errMalformed
	}
	out := putBlob(putBlob(putBlob([]byte{1}, header), next), block.Txs[index])
	out = binary.BigEndian.AppendUint32(out, uint32(index))
	out = binary.BigEndian.AppendUint32(out, uint32(len(block.Txs)))
	out = putPath(out, block.Txs.Proof(index).Proof.Aunts)
	out = binary.BigEndian.AppendUint32(out, results[index].Code)
	out = putBlob(out, results[index].Data)
	return putPath(out, results.ProveResult(index).Aunts), nil
}

func putPath(out []byte, path [][]byte) []byte {
	out = append(out, byte(len(path)))
	for _, step := range path {
		out = append(out, step...)
	}
	return out
}

func (r *reader) path() (path [][]byte) {
	n := int(r.u8())
	if n > maxPath {
		r.bad = true
	}
	for i := 0; i < n && !r.bad; i++ {
		path = append(path, r.take(tmhash.Size))
	}
	return path
}

func decodeProof(raw []byte) (*proof, error) {
	if len(raw) > maxProof {
		return nil, errMalformed
	}
	r := &reader{rest: raw}
	r.bad = r.u8() != 1
	header, next := r.blob(maxHeader), r.blob(maxSigned)
	p := &proof{tx: r.blob(maxTx), index: r.u32(), total: r.u32(), txPath: r.path(), code: r.u32(), data: r.blob(maxData), resultPath: r.path()}
	if err := r.end(); err != nil {
		return nil, err
	}
	var message cmtproto.Header
	if err := strict(header, &message); err != nil {
		return nil, err
	}
	h, err := types.HeaderFromProto(&message)
	if err != nil {
		return nil, err
	}
	p.header = &h
	p.next, err = decodeSigned(next)
	return p, err
}

// Verify checks a proof, as [Node.Prove] gives it, against what is trusted: the
// signatures on header H+1, that it names header H, that H holds the
// transaction and H+1 its result at the same place. Inclusion is not success:
// read the result's code. What does not hold is [fault.Invalid].
func Verify(t Trust, raw []byte) (Proven, error) {
	p, err := decodeProof(raw)
	if err == nil {
		err = t.verify(p.next)
	}
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return Proven{}, unproven("proof", err)
	}
	return Proven{
		Header: ourHeader(p.header), Next: ourHeader(p.next.Header),
		Index: int(p.index), Total: int(p.total), Tx: p.tx,
		Result: Result{Code: p.code, Data: p.data},
	}, nil
}

func (p *proof) check() error {
	switch {
	case p.header.ChainID != p.next.ChainID, p.header.Height != p.next.Height-1:
		return errors.New("the headers are no neighbours")
	case string(p.header.Hash()) != string(p.next.LastBlockID.Hash):
		return fmt.Errorf("header %d does not name this header %d", p.next.Height, p.header.Height)
	}
	result, err := (&abci.ExecTxResult{Code: p.code, Data: p.data}).Marshal()
	if err != nil {
		return err
	}
	if err := p.walk(p.header.DataHash, types.Tx(p.tx).Hash(), p.txPath); err != nil {
		return fmt.Errorf("the transaction: %w", err)
	}
	if err := p.walk(p.next.LastResultsHash, result, p.resultPath); err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	return nil
}

func (p *proof) walk(root, leaf []byte, path [][]byte) error {
	m := merkle.Proof{Total: int64(p.total), Index: int64(p.index), LeafHash: leafHash(leaf), Aunts: path}
	return m.Verify(root, leaf)
}

// leafHash is the hash of a leaf in the engine's trees (RFC 6962).
func leafHash(leaf []byte) []byte { return tmhash.Sum(append([]byte{0}, leaf...)) }
