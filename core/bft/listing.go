package bft

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
)

// maxListing bounds a block's listing: what its results hold comes on top.
const maxListing = maxHeader + maxSigned + 2*maxBlockBytes

// Listing is a whole block with its results, for [VerifyListing]. It is
// [fault.NotFound] until the block after it is there, which carries the results.
//
//	1 ‖ blob header H ‖ blob signed header H+1 ‖ count u32 ‖ (blob tx ‖ code u32 ‖ blob data)*
func (n *Node) Listing(height int64) ([]byte, error) {
	r, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Done()
	next, err := r.signed(height + 1)
	if err != nil {
		return nil, err
	}
	block := r.node.BlockStore().LoadBlock(height)
	if block == nil {
		return nil, noBlock(height)
	}
	results, err := r.results(height)
	if err != nil || len(results) != len(block.Txs) {
		return nil, noBlock(height)
	}
	return encodeListing(block, results, next)
}

func encodeListing(block *types.Block, results []Result, next []byte) ([]byte, error) {
	header, err := block.Header.ToProto().Marshal()
	if err != nil {
		return nil, err
	}
	out := putBlob(putBlob([]byte{1}, header), next)
	out = binary.BigEndian.AppendUint32(out, uint32(len(results)))
	for i, tx := range block.Txs {
		out = binary.BigEndian.AppendUint32(putBlob(out, tx), results[i].Code)
		out = putBlob(out, results[i].Data)
	}
	return out, nil
}

// listing is a block before it is believed.
type listing struct {
	header  *types.Header
	next    *types.SignedHeader
	txs     types.Txs
	results []Result
}

func decodeListing(raw []byte) (*listing, error) {
	if len(raw) > maxListing {
		return nil, errMalformed
	}
	r := &reader{rest: raw}
	r.bad = r.u8() != 1
	header, next := r.blob(maxHeader), r.blob(maxSigned)
	l := &listing{}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		l.txs = append(l.txs, r.blob(maxTx))
		l.results = append(l.results, Result{Code: r.u32(), Data: r.blob(maxData)})
	}
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
	l.header = &h
	l.next, err = decodeSigned(next)
	return l, err
}

// check compares the block with what the header after it says.
func (l *listing) check() error {
	switch {
	case l.header.ChainID != l.next.ChainID, l.header.Height != l.next.Height-1:
		return errors.New("the headers are no neighbours")
	case string(l.header.Hash()) != string(l.next.LastBlockID.Hash):
		return fmt.Errorf("header %d does not name this header %d", l.next.Height, l.header.Height)
	case string(l.txs.Hash()) != string(l.header.DataHash):
		return errors.New("the transactions are not the block's")
	case resultsHash(l.results) != asHash(l.next.LastResultsHash):
		return errors.New("the results are not the block's")
	}
	return nil
}

// VerifyListing checks a block, as [Node.Listing] gives it, against what is
// trusted: the signatures on header H+1, that it names header H and its results,
// and that H names its transactions. What does not hold is [fault.Invalid].
func VerifyListing(t Trust, raw []byte) (Block, error) {
	l, err := decodeListing(raw)
	if err == nil {
		err = t.verify(l.next)
	}
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return Block{}, unproven("block", err)
	}
	return Block{
		Header: ourHeader(l.header), Txs: l.txs.ToSliceOfBytes(), Results: l.results, After: asHash(l.next.AppHash),
	}, nil
}

// Block asks for a whole block, one server after the other, and verifies it. It
// is [fault.NotFound] until the block after it is there. The results come
// without their logs.
func (f *Follower) Block(ctx context.Context, height int64) (Block, error) {
	if err := f.forked(); err != nil {
		return Block{}, err
	}
	servers := f.cfg.Servers()
	var answers []answer[Block]
	for _, s := range servers[:min(len(servers), maxServers)] {
		asking, cancel := context.WithTimeoutCause(ctx, f.cfg.Patience, errImpatient)
		b, err := f.blockOf(asking, s, height)
		f.report(asking, s.Name, err)
		cancel()
		if err == nil || ctx.Err() != nil {
			return b, err
		}
		answers = append(answers, answer[Block]{s, b, err})
	}
	if len(answers) == 0 {
		return Block{}, f.alone()
	}
	return Block{}, choose(answers).err
}

func (f *Follower) blockOf(ctx context.Context, s Server, height int64) (Block, error) {
	raw, err := s.ask(ctx, askListing, askHeight(height))
	if err != nil {
		return Block{}, err
	}
	if err := f.reach(ctx, s, height+1); err != nil {
		return Block{}, err
	}
	b, err := VerifyListing(f.Trust(), raw)
	if err == nil && b.Height != height {
		err = unproven("block", fmt.Errorf("it has height %d, %d was asked for", b.Height, height))
	}
	return b, err
}

func (f *Follower) alone() error {
	return fault.New(fault.Unavailable, "no server of chain %q is known", f.cfg.Genesis.ChainID).
		WithHint("connect with a validator, or with a peer that runs the chain")
}
