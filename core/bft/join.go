package bft

import (
	"context"
	"errors"
	"fmt"

	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	sm "github.com/cometbft/cometbft/state"
	blocks "github.com/cometbft/cometbft/store"

	"intercom/core/fault"
)

// Join lets a node that has nothing of its chain yet begin at the newest state
// that the follower's servers prove, instead of executing every block. It is
// called before Run and gives the height, which is 0 when the node has a state
// already, and nothing was asked, or when the chain is too young. A process that ends in between has a node
// that has nothing. When it fails the node may still be run from the genesis.
//
// What lies before that height is not here then: such a node does not know
// old transactions and cannot give others those blocks. The engine also needs
// the header of a height to judge evidence of double votes there: a block that
// carries such evidence from before the snapshot stops a node that has just
// joined. Begin with a new store then.
func (n *Node) Join(ctx context.Context, f *Follower) (int64, error) {
	app, ok := n.cfg.App.(Snapshots)
	if !ok {
		panic("bft: the application has no snapshots")
	}
	n.mu.Lock()
	started := n.started
	n.mu.Unlock()
	if f.cfg.Genesis.Hash() != n.cfg.Genesis.Hash() || started {
		panic("bft: a node joins its own chain, before it runs")
	}
	stores := n.stores(&gate{})
	height, _, err := n.cfg.App.Last()
	if err != nil || height > 0 || !stores.empty() {
		return 0, err
	}
	l, err := f.land(ctx, app, n.journal.keepLanding)
	if errors.Is(err, errYoung) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n.log.Info("the state was taken over", "height", l.height(), "state", l.state())
	return l.height(), nil
}

// stores are the engine's, over the same bytes as its own.
type stores struct {
	state  sm.Store
	blocks *blocks.BlockStore
}

func (n *Node) stores(g *gate) stores {
	return stores{
		state:  sm.NewStore(&database{space: n.space("state"), gate: g}, sm.StoreOptions{}),
		blocks: blocks.NewBlockStore(&database{space: n.space("blockstore"), gate: g}),
	}
}

func (s stores) empty() bool {
	state, err := s.state.Load()
	return err == nil && state.LastBlockHeight == 0 && s.blocks.Height() == 0
}

// adopt puts an engine that has nothing where the application stands after
// Join. It is done before every start: the engine forgets where it was put
// when the process ends before its first block.
func (n *Node) adopt(s stores) error {
	if s.blocks.Height() > 0 {
		return nil
	}
	if s.empty() {
		height, _, err := n.cfg.App.Last()
		if err != nil || height == 0 {
			return err
		}
		l, err := n.journal.landing(n.cfg.Genesis)
		if err != nil {
			return err
		}
		if l == nil || l.height() != height {
			return fault.New(fault.Conflict, "the application is at block %d, and the engine has no blocks", height).
				WithHint("restore the store from a copy, or begin with a new one")
		}
		state, err := l.engineState(n.cfg.Genesis)
		if err != nil {
			return err
		}
		// The commit first: the state says that all of it is there.
		if err := s.blocks.SaveSeenCommit(height, l.at.Commit); err != nil {
			return err
		}
		if err := s.state.Bootstrap(state); err != nil {
			return err
		}
	}
	state, err := s.state.Load()
	if err != nil || state.LastBlockHeight == 0 {
		return err
	}
	return s.state.SetOfflineStateSyncHeight(state.LastBlockHeight)
}

// engineState is what the engine would know after the block at which it lands.
func (l *landing) engineState(g Genesis) (sm.State, error) {
	doc := g.doc()
	state, err := sm.MakeGenesisState(doc)
	if err != nil {
		return state, err
	}
	now, next, err := turns(l.trust, l.height()+1)
	if err != nil {
		return state, err
	}
	set, _ := l.trust.at(l.height())
	if string(state.ConsensusParams.Hash()) != string(l.next.ConsensusHash) {
		return state, unproven("header", fmt.Errorf("header %d has other limits than the genesis", l.next.Height))
	}
	state.Version.Consensus = cmtversion.Consensus{Block: l.next.Version.Block, App: l.next.Version.App}
	state.LastBlockHeight = l.height()
	state.LastBlockTime = l.at.Time
	state.LastBlockID = l.at.Commit.BlockID
	state.LastValidators, state.Validators, state.NextValidators = engineSet(set.Validators), now, next
	state.LastHeightValidatorsChanged = l.height() + 2
	state.LastHeightConsensusParamsChanged = l.height() + 1
	state.AppHash = l.next.AppHash
	state.LastResultsHash = l.next.LastResultsHash
	return state, nil
}
