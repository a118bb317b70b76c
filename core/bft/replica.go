package bft

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// maxBlock bounds an encoded block.
const maxBlock = maxBlockBytes + maxSigned + 64

// Replica follows a chain with whole blocks: it verifies each one and executes
// it with an [Application] of its own, so it needs to be told of no set of
// validators, and it finds out when its result is not the others'. It belongs
// to one goroutine. It asks nobody: blocks come from [Replica.Ask] or from
// anywhere else.
type Replica struct {
	genesis Genesis
	app     Application
	space   *store.Space
	at      position
}

// NewReplica makes a replica that goes on where the application stands; space
// keeps what is needed for that, in the application's own store.
func NewReplica(g Genesis, app Application, space *store.Space) (*Replica, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	if err := (journal{space}).bind(g.Hash()); err != nil {
		return nil, err
	}
	r := &Replica{genesis: g, app: app, space: space}
	height, state, err := app.Last()
	if err != nil {
		return nil, err
	}
	if height == 0 {
		if state, err = app.Init(g); err != nil {
			return nil, err
		}
		set := sorted(g.Validators)
		r.at = position{State: state, Results: asHash(types.ABCIResults{}.Hash()), Now: set, Next: set}
		return r, nil
	}
	r.at, err = loadPosition(space, height)
	if err == nil && r.at.State != state {
		err = fault.New(fault.Conflict, "the application's state %s is not the one of block %d", state, height).
			WithHint("begin with a new store")
	}
	return r, err
}

// Join lets a replica whose application has no state begin at the newest state
// that the follower's servers prove, instead of the genesis; the application has
// [Snapshots]. When the application has a state nothing is asked. On an error,
// and when the process ends in between, the replica is as before.
func (r *Replica) Join(ctx context.Context, f *Follower) error {
	app, ok := r.app.(Snapshots)
	if !ok || f.cfg.Genesis.Hash() != r.genesis.Hash() {
		panic("bft: a replica joins its own chain, with an application that has snapshots")
	}
	if height, _, err := r.app.Last(); err != nil || height > 0 {
		return err
	}
	l, err := f.land(ctx, app, func(l *landing) error {
		return l.position().save(r.space, l.trust)
	})
	if err == nil {
		r.at = l.position()
	}
	return err
}

// Height is the newest block that was applied.
func (r *Replica) Height() int64 { return r.at.Height }

// Apply verifies the next block, as [Node.EncodedBlock] gives it, and executes
// it. A block that does not hold is [fault.Invalid] and changes nothing. A
// [fault.Conflict] is for good: more than 2/3 have signed another result than
// the application came to, here or at the block before.
func (r *Replica) Apply(raw []byte) (Block, error) {
	signed, data, guilty, err := decodeBlock(raw)
	if err == nil {
		err = r.verify(signed, data, guilty)
	}
	if err != nil {
		return Block{}, unproven("block", err)
	}
	header := ourHeader(signed.Header)
	if header.State != r.at.State || asHash(signed.LastResultsHash) != r.at.Results {
		return Block{}, fault.New(fault.Conflict, "block %d says the state is %s, here it is %s", header.Height, header.State, r.at.State).
			WithHint("this program computes another result than the validators: compare versions; nothing more is confirmed here")
	}
	p := Proposal{Height: header.Height, Time: header.Time, Proposer: r.key(signed.ProposerAddress), Txs: data.ToSliceOfBytes()}
	for _, m := range guilty.Evidence.ToABCI() {
		if key := r.key(m.Validator.Address); !key.IsZero() {
			p.Guilty = append(p.Guilty, key)
		}
	}
	done, err := r.execute(p)
	if err != nil {
		return Block{}, fault.New(fault.Conflict, "block %d: %w", header.Height, err).WithHint("report it; nothing more is confirmed here")
	}
	next := r.at.after(header, done)
	if err := next.save(r.space, Trust{}); err != nil {
		return Block{}, err
	}
	if err := r.app.Commit(); err != nil {
		return Block{}, err
	}
	r.at = next
	return Block{Header: header, Txs: p.Txs, Results: done.Results, After: done.State}, nil
}

func (r *Replica) execute(p Proposal) (done Executed, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("the application panicked: %v", why)
		}
	}()
	done, err = r.app.Execute(p)
	if err == nil && len(done.Results) != len(p.Txs) {
		err = errors.New("the application did not answer every transaction")
	}
	return done, err
}

func (r *Replica) verify(signed *types.SignedHeader, data types.Txs, guilty *types.EvidenceData) error {
	now := Trust{ChainID: r.genesis.ChainID, Sets: []Set{{From: 1, Validators: r.at.Now}}}
	switch {
	case signed.Height != r.at.Height+1:
		return fmt.Errorf("it has height %d, %d comes next", signed.Height, r.at.Height+1)
	case asHash(signed.LastBlockID.Hash) != r.at.Hash:
		return errors.New("it does not follow the block before")
	case string(signed.NextValidatorsHash) != string(engineSet(r.at.Next).Hash()):
		return errors.New("it names other next validators")
	}
	if err := now.verify(signed); err != nil {
		return err
	}
	if string(data.Hash()) != string(signed.DataHash) || string(guilty.Hash()) != string(signed.EvidenceHash) {
		return errors.New("its contents are not what was signed")
	}
	return nil
}

// key is the validator of an address: the proven liars may have left long ago.
func (r *Replica) key(address []byte) identity.PublicKey {
	if len(address) != 20 {
		return identity.PublicKey{}
	}
	for _, v := range append(sorted(r.genesis.Validators), r.at.Now...) {
		if string(engineKey(v.Key).Address()) == string(address) {
			return v.Key
		}
	}
	raw, ok, err := r.space.Get(voterKey(address))
	if err != nil || !ok || len(raw) != len(identity.PublicKey{}) {
		return identity.PublicKey{}
	}
	return identity.PublicKey(raw)
}

// encodeBlock: 1 ‖ blob signed header ‖ blob transactions ‖ blob evidence.
func encodeBlock(block *types.Block, signed []byte) ([]byte, error) {
	data := block.Data.ToProto()
	txs, err := data.Marshal()
	if err != nil {
		return nil, err
	}
	list, err := block.Evidence.ToProto()
	if err != nil {
		return nil, err
	}
	guilty, err := list.Marshal()
	if err != nil {
		return nil, err
	}
	return putBlob(putBlob(putBlob([]byte{1}, signed), txs), guilty), nil
}

func decodeBlock(raw []byte) (*types.SignedHeader, types.Txs, *types.EvidenceData, error) {
	r := &reader{rest: raw}
	r.bad = r.u8() != 1
	head, txs, guilty := r.blob(maxSigned), r.blob(maxBlockBytes), r.blob(maxBlockBytes)
	if err := r.end(); err != nil {
		return nil, nil, nil, err
	}
	signed, err := decodeSigned(head)
	if err != nil {
		return nil, nil, nil, err
	}
	var data cmtproto.Data
	var list cmtproto.EvidenceList
	if err := errors.Join(strict(txs, &data), strict(guilty, &list)); err != nil {
		return nil, nil, nil, err
	}
	var evidence types.EvidenceData
	if len(list.Evidence) > 0 {
		if err := evidence.FromProto(&list); err != nil {
			return nil, nil, nil, err
		}
	}
	return signed, types.ToTxs(data.Txs), &evidence, nil
}

// resultsHash is what the header after a block says of its results.
func resultsHash(results []Result) Hash {
	engine := make([]*abci.ExecTxResult, len(results))
	for i, res := range results {
		engine[i] = &abci.ExecTxResult{Code: res.Code, Data: res.Data}
	}
	return asHash(types.NewResults(engine).Hash())
}
