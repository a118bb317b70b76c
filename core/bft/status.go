package bft

import (
	"github.com/cometbft/cometbft/types"

	"intercom/core/identity"
)

// Status is how a node stands.
type Status struct {
	ChainID    string             `json:"chain_id"`
	Height     int64              `json:"height"`
	State      Hash               `json:"state"` // of the application
	Health     Health             `json:"health"`
	Key        identity.PublicKey `json:"key"`
	Addr       string             `json:"addr"`    // where other nodes connect; empty when it does not run
	Peers      []string           `json:"peers"`   // ids of the nodes connected
	Waiting    int                `json:"waiting"` // transactions
	Validators []Validator        `json:"validators"`
	Absent     []Validator        `json:"absent"` // those who did not sign the newest block, or, while it stalls, did not vote on the next
}

// Status reads the status; it never fails.
func (n *Node) Status() Status {
	s := Status{
		ChainID: n.cfg.Genesis.ChainID, Health: n.health.get(), Key: n.keys.public,
		Peers: []string{}, Validators: []Validator{}, Absent: []Validator{},
	}
	n.mu.Lock()
	s.Height, s.State = n.height, n.state
	n.mu.Unlock()
	r, err := n.enter()
	if err != nil {
		return s
	}
	defer n.calls.Done()
	s.Addr = r.addr
	s.Waiting = r.node.Mempool().Size()
	for _, p := range r.sw.Peers().Copy() {
		s.Peers = append(s.Peers, string(p.ID()))
	}
	round := r.cs.GetRoundState()
	if round.Validators == nil {
		return s
	}
	s.Validators = ourSet(round.Validators)
	s.Absent = absent(round.Validators, r.node.BlockStore().LoadSeenCommit(round.Height-1))
	if s.Health.State == Stalled && round.Votes != nil {
		// The round before has had its time.
		if votes := round.Votes.Prevotes(max(round.Round-1, 0)); votes != nil {
			s.Absent = silent(round.Validators, votes.GetByIndex)
		}
	}
	return s
}

func absent(set *types.ValidatorSet, commit *types.Commit) []Validator {
	missing := []Validator{}
	if commit == nil {
		return missing
	}
	signed := map[string]bool{}
	for _, sig := range commit.Signatures {
		if sig.BlockIDFlag == types.BlockIDFlagCommit {
			signed[string(sig.ValidatorAddress)] = true
		}
	}
	for _, v := range set.Validators {
		if key, ok := ourKey(v.PubKey); ok && !signed[string(v.Address)] {
			missing = append(missing, Validator{Key: key, Power: v.VotingPower})
		}
	}
	return sorted(missing)
}

func silent(set *types.ValidatorSet, vote func(int32) *types.Vote) []Validator {
	missing := []Validator{}
	for i, v := range set.Validators {
		if key, ok := ourKey(v.PubKey); ok && vote(int32(i)) == nil {
			missing = append(missing, Validator{Key: key, Power: v.VotingPower})
		}
	}
	return sorted(missing)
}
