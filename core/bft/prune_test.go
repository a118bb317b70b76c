package bft_test

import (
	"fmt"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
)

func TestOldBlocksAreForgottenAndFollowersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, dir)
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, dir+"/bft")
	own := s.genesis.Validators[0]
	s.sets = func(height int64) []bft.Validator {
		own.Power = 10 + height/40 // another set now and then
		return []bft.Validator{own}
	}
	s.edit = func(c *bft.Config) { c.Keep = bft.MinKeep }
	s.start()
	first := s.confirm("first")
	s.settled()
	old, err := s.node.Prove(bft.TxHash([]byte("first")))
	if err != nil {
		t.Fatal(err)
	}
	early := follow(t, s.genesis, nil, served(t, "one", s.node)) // far behind later
	if _, err := early.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := 0; s.node.Status().Height < bft.MinKeep+80; i++ {
		s.confirm(fmt.Sprint("tx", i))
	}
	if _, err := s.node.Block(first.Height); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("block %d is still there: %v", first.Height, err)
	}
	if _, ok, err := s.node.Find(bft.TxHash([]byte("first"))); ok || err != nil {
		t.Errorf("its transaction is still known: %v %v", ok, err)
	}
	tip := s.settled()
	if _, err := s.node.Block(tip - bft.MinKeep + 2); err != nil {
		t.Errorf("a block that is to be kept: %v", err)
	}

	fresh := follow(t, s.genesis, nil, served(t, "one", s.node))
	for name, f := range map[string]*desk{"one far behind": early, "a newcomer": fresh} {
		if h, err := f.Sync(t.Context()); err != nil || h.Height != tip || len(f.Trust().Sets) < 4 {
			t.Errorf("%s: %+v with %d sets, %v", name, h, len(f.Trust().Sets), err)
		}
		if len(f.notices) != 0 {
			t.Errorf("%s blamed somebody: %+v", name, f.notices)
		}
	}
	if p, err := bft.Verify(fresh.Trust(), old); err != nil || string(p.Tx) != "first" {
		t.Errorf("a proof of before: %v", err)
	}
	s.end()
	s.start()
	s.confirm("after a restart")
}

func TestTooFewBlocksKeptAreRefused(t *testing.T) {
	s := alone(t)
	s.end()
	_, err := bft.New(bft.Config{
		Dir: s.dir + "/bft", Store: s.store, Name: "tally", Genesis: s.genesis, App: s.app, Log: quiet(), Keep: 3,
	})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("kept 3: %v", err)
	}
}
