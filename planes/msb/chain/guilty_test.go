package chain_test

import (
	"fmt"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// TestDoubleVoterLosesItsSeat tells an application what the engine proves.
func TestDoubleVoterLosesItsSeat(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	settings := bus.Genesis{Network: "guilty", Accounts: []bus.Funds{{Address: address("alice"), Balance: amount(t, "1")}}}
	for i := range 2 {
		settings.Validators = append(settings.Validators, bus.Founder{Key: key(fmt.Sprint("e", i)).PublicKey(), Operator: address(fmt.Sprint("v", i))})
	}
	g, err := chain.NewGenesis(settings, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	app, err := chain.Open(s, "main", quiet())
	if err != nil {
		t.Fatal(err)
	}
	began, err := app.Init(g)
	if err != nil {
		t.Fatal(err)
	}
	e0, e1 := key("e0").PublicKey(), key("e1").PublicKey()
	block := func(height int64, guilty identity.PublicKey) bft.Executed {
		t.Helper()
		done, err := app.Execute(bft.Proposal{Height: height, Proposer: e0, Guilty: []identity.PublicKey{guilty}})
		if err == nil {
			err = app.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	done := block(1, e1)
	if len(done.Validators) != 1 || done.Validators[0] != (bft.Validator{Key: e0, Power: 1}) || done.State == began {
		t.Errorf("after e1 voted twice: %+v", done)
	}
	if done = block(2, e0); done.Validators != nil {
		t.Errorf("the last validator went: %+v", done)
	}
}

// TestNetworkGoesOnAfterARestart stops a node and starts another one on its
// files: the state is there at once, and while nothing is sent no block is made.
func TestNetworkGoesOnAfterARestart(t *testing.T) {
	s := town(t, 1)[0]
	first := s.sign("alice", pay(t, "dora", "1"))
	settle(t, s.ledger, first)
	s.end()
	if a, _, _, err := s.ledger.Account(t.Context(), key("dora").PublicKey(), 0); err != nil || a.Balance != amount(t, "1") {
		t.Errorf("read while the node does not run: %+v, %v", a, err)
	}
	if _, err := s.ledger.Submit(t.Context(), s.sign("alice", pay(t, "dora", "1")).Encode()); err == nil {
		t.Error("a node that does not run took a transaction")
	}
	before, state, _ := s.app.Last()
	s.start()
	if r, settled, _, err := s.ledger.Record(t.Context(), first.ID); !settled || err != nil || r.Code != bus.OK {
		t.Errorf("%+v %t, %v", r, settled, err)
	}
	height, after, _ := s.app.Last()
	if after != state {
		t.Errorf("the state after block %d became another one by block %d", before, height)
	}
	r := settle(t, s.ledger, s.sign("alice", pay(t, "dora", "1")))
	await(t, "the block that proves it", func() bool { return s.node.Status().Height > int64(r.Height) })
	time.Sleep(300 * time.Millisecond)
	if now := s.node.Status().Height; now != int64(r.Height)+1 {
		t.Errorf("block %d settled it, and idle it came to %d", r.Height, now)
	}
	if _, _, _, err := s.ledger.Account(t.Context(), key("dora").PublicKey(), before); err != nil {
		t.Errorf("the state before the restart: %v", err)
	}
}
