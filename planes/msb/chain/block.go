package chain

import (
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/planes/msb/bus"
)

// executed is a block that was carried out and is not yet the state.
type executed struct {
	height  int64
	update  *merkle.Update
	results []bus.Result
}

func blockOf(p bft.Proposal) bus.Block {
	b := bus.Block{Height: uint64(p.Height), Txs: p.Txs}
	if !p.Proposer.IsZero() {
		b.Proposer = bus.AddressOf(p.Proposer)
	}
	for _, key := range p.Guilty {
		b.Guilty = append(b.Guilty, bus.AddressOf(key))
	}
	return b
}

func resultOf(r bus.Result) bft.Result { return bft.Result{Code: uint32(r.Code), Log: r.Text} }

// Check tells whether a transaction may wait for a block, beside all that wait
// already.
func (a *App) Check(tx []byte, again bool) bft.Result {
	ask := a.pool.Admit
	if again {
		ask = a.pool.Remain
	}
	h := a.now()
	result, err := ask(a.see(h), uint64(h.height)+1, tx)
	if err != nil {
		a.log.Error("a transaction was not checked", "err", err)
		return bft.Result{Code: uint32(bus.NodeOverloaded), Log: "The state cannot be read now."}
	}
	return resultOf(result)
}

// see is the newest state, as it was read so far.
func (a *App) see(h head) *sight {
	if a.sight.view != h.view {
		a.sight = sight{view: h.view}
	}
	return &a.sight
}

// Propose picks those of the waiting transactions that can be settled.
func (a *App) Propose(p bft.Proposal) [][]byte {
	trial, err := a.machine.Pick(a.see(a.now()), blockOf(p), p.MaxBytes)
	if err != nil {
		a.log.Error("nothing is proposed", "height", p.Height, "err", err)
		return nil
	}
	a.trial = trial
	return trial.Txs()
}

// Accept votes for a block in which everything can be settled.
func (a *App) Accept(p bft.Proposal) bool {
	trial, err := a.try(blockOf(p))
	if err != nil {
		a.log.Error("a proposal was not judged", "height", p.Height, "err", err)
		return false
	}
	return trial.Settles()
}

// try carries a block out, unless that was done already: a block that was
// proposed or judged here is not carried out again to be executed.
func (a *App) try(b bus.Block) (*bus.Trial, error) {
	if a.trial != nil && a.trial.Of(b) {
		return a.trial, nil
	}
	trial, err := a.machine.Try(a.see(a.now()), b)
	if err == nil {
		a.trial = trial
	}
	return trial, err
}

// Execute carries a block out.
func (a *App) Execute(p bft.Proposal) (bft.Executed, error) {
	u, err := a.tree.Update()
	if err != nil {
		return bft.Executed{}, err
	}
	b := blockOf(p)
	trial, err := a.try(b)
	if err != nil {
		return bft.Executed{}, err
	}
	a.trial = nil // it is written once
	out, err := trial.Write(u, b.Guilty)
	if err != nil {
		return bft.Executed{}, err
	}
	done := bft.Executed{State: stateHash(out.Root), Results: make([]bft.Result, len(out.Results))}
	for i, r := range out.Results {
		done.Results[i] = resultOf(r)
	}
	if len(out.Changes) > 0 {
		if done.Validators, err = seatsOf(u); err != nil {
			return bft.Executed{}, err
		}
	}
	a.next = &executed{height: p.Height, update: u, results: out.Results}
	return done, nil
}

// Commit makes what Execute did the state.
func (a *App) Commit() error {
	next := a.next
	a.next = nil
	if next == nil {
		return fault.New(fault.Internal, "a commit without a block")
	}
	h := a.now()
	h.height = next.height
	if _, err := a.write(h, next.update); err != nil {
		return err
	}
	if after := a.now().view; after != h.view {
		a.see(h).move(after, next.update)
	}
	a.pool.Committed(next.results)
	a.sent.committed(time.Now())
	for _, r := range next.results {
		if r.Settled {
			a.waiters.tell(r.ID, bus.Record{Height: uint64(next.height), Code: r.Code})
		}
	}
	return nil
}

var (
	_ bft.Application = (*App)(nil)
	_ bft.Proposer    = (*App)(nil)
	_ bft.Judge       = (*App)(nil)
	_ bft.Queries     = (*App)(nil)
	_ bft.Snapshots   = (*App)(nil)
)
