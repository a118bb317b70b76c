package bft

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
)

// wakeTx is what stands in the engine's pool for an application that keeps its
// own. It never enters a block.
var wakeTx = []byte("intercom/bft/wake/v1")

// codePanic is the code of a transaction at which the application panicked.
const codePanic = 1

// bridge is our application as the engine sees it.
type bridge struct {
	abci.BaseApplication
	app     Application
	genesis Genesis
	log     *slog.Logger
	journal journal
	voters  *voters
	admits  func(peer string) bool
	// committed is told of every block after its Commit.
	committed func(height int64, state Hash, txs [][]byte, results []Result)
	// retain answers below which height blocks may be forgotten; 0: none.
	retain func(height int64) int64

	// What Execute did and Commit has not yet made lasting. The engine calls
	// one at a time.
	height  int64
	state   Hash
	txs     [][]byte
	results []Result
}

func (b *bridge) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	height, state, err := b.app.Last()
	if err != nil {
		return nil, err
	}
	info := &abci.ResponseInfo{LastBlockHeight: height}
	if height > 0 {
		info.LastBlockAppHash = state[:]
	}
	return info, nil
}

func (b *bridge) InitChain(context.Context, *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	state, err := b.app.Init(b.genesis)
	if err != nil {
		return nil, err
	}
	return &abci.ResponseInitChain{AppHash: state[:]}, nil
}

// Query is asked only whether a node may connect.
func (b *bridge) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	if id, ok := strings.CutPrefix(req.Path, "/p2p/filter/id/"); ok && !b.admits(id) {
		return &abci.ResponseQuery{Code: 1, Log: "a stranger"}, nil
	}
	return &abci.ResponseQuery{}, nil
}

func (b *bridge) CheckTx(_ context.Context, req *abci.RequestCheckTx) (res *abci.ResponseCheckTx, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("the application panicked at a transaction", "tx", TxHash(req.Tx), "panic", p)
			res, err = &abci.ResponseCheckTx{Code: codePanic, Log: "internal error"}, nil
		}
	}()
	if pool, ok := b.app.(Pool); ok {
		if string(req.Tx) == string(wakeTx) && pool.Pending() {
			return &abci.ResponseCheckTx{}, nil
		}
		return &abci.ResponseCheckTx{Code: codePanic, Log: "nothing waits"}, nil
	}
	r := b.app.Check(req.Tx, req.Type == abci.CheckTxType_Recheck)
	return &abci.ResponseCheckTx{Code: r.Code, Data: r.Data, Log: r.Log}, nil
}

func (b *bridge) PrepareProposal(ctx context.Context, req *abci.RequestPrepareProposal) (res *abci.ResponsePrepareProposal, err error) {
	proposer, ok := b.app.(Proposer)
	if !ok {
		return b.BaseApplication.PrepareProposal(ctx, req)
	}
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("the application panicked at its own proposal", "height", req.Height, "panic", p)
			res, err = &abci.ResponsePrepareProposal{}, nil
		}
	}()
	p := Proposal{
		Height: req.Height, Time: req.Time, Txs: req.Txs, MaxBytes: req.MaxTxBytes,
		Proposer: b.voters.key(req.Height, req.ProposerAddress), Guilty: b.voters.guilty(req.Misbehavior),
	}
	if _, own := b.app.(Pool); own {
		p.Txs = nil
	}
	return &abci.ResponsePrepareProposal{Txs: proposer.Propose(p)}, nil
}

func (b *bridge) ProcessProposal(_ context.Context, req *abci.RequestProcessProposal) (res *abci.ResponseProcessProposal, err error) {
	answer := func(accept bool) (*abci.ResponseProcessProposal, error) {
		if accept {
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
		}
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("the application panicked at a proposal", "height", req.Height, "panic", p)
			res, err = answer(false)
		}
	}()
	for _, tx := range req.Txs {
		if string(tx) == string(wakeTx) {
			return answer(false)
		}
	}
	judge, ok := b.app.(Judge)
	return answer(!ok || judge.Accept(Proposal{
		Height: req.Height, Time: req.Time, Txs: req.Txs,
		Proposer: b.voters.key(req.Height, req.ProposerAddress), Guilty: b.voters.guilty(req.Misbehavior),
	}))
}

func (b *bridge) FinalizeBlock(_ context.Context, req *abci.RequestFinalizeBlock) (res *abci.ResponseFinalizeBlock, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, fmt.Errorf("the application panicked at block %d: %v", req.Height, p)
		}
	}()
	done, err := b.app.Execute(Proposal{
		Height: req.Height, Time: req.Time, Txs: req.Txs,
		Proposer: b.voters.key(req.Height, req.ProposerAddress), Guilty: b.voters.guilty(req.Misbehavior),
	})
	if err != nil {
		return nil, err
	}
	updates, err := b.voters.updates(req.Height, done.Validators)
	if err != nil {
		return nil, err
	}
	if err := b.journal.record(req.Height, req.Txs, len(updates) > 0); err != nil {
		return nil, err
	}
	b.height, b.state, b.txs, b.results = req.Height, done.State, req.Txs, done.Results
	return &abci.ResponseFinalizeBlock{TxResults: engineResults(done.Results), ValidatorUpdates: updates, AppHash: done.State[:]}, nil
}

func (b *bridge) Commit(context.Context, *abci.RequestCommit) (res *abci.ResponseCommit, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, fmt.Errorf("the application panicked at the commit of block %d: %v", b.height, p)
		}
	}()
	if err := b.app.Commit(); err != nil {
		return nil, err
	}
	b.committed(b.height, b.state, b.txs, b.results)
	b.txs, b.results = nil, nil
	return &abci.ResponseCommit{RetainHeight: b.retain(b.height)}, nil
}

func engineResults(results []Result) []*abci.ExecTxResult {
	out := make([]*abci.ExecTxResult, len(results))
	for i, r := range results {
		out[i] = &abci.ExecTxResult{Code: r.Code, Data: r.Data, Log: r.Log}
	}
	return out
}

func ourResult(r *abci.ExecTxResult) Result { return Result{Code: r.Code, Data: r.Data, Log: r.Log} }
