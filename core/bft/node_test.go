package bft_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
)

func TestOneValidatorConfirmsAndRestsWhenIdle(t *testing.T) {
	s := alone(t)
	for i := range 5 {
		out := s.confirm(fmt.Sprint("tx", i))
		if out.Result.Code != 0 || len(out.Result.Data) != 8 || out.Result.Data[7] != byte(i+1) {
			t.Fatalf("tx %d: %+v", i, out)
		}
	}
	if out := s.confirm("bad luck"); out.Result.Code != 9 {
		t.Errorf("failing tx: %+v", out)
	}
	if res, err := s.node.Submit(t.Context(), []byte("no thanks")); res.Code != 7 || err != nil {
		t.Errorf("refused tx: %+v, %v", res, err)
	}
	if _, err := s.node.Submit(t.Context(), make([]byte, bft.DefaultTxBytes+1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("large tx: %v", err)
	}
	idle := s.settled()
	time.Sleep(time.Second)
	if now := s.node.Status(); now.Height != idle || now.Health.State != bft.Healthy || len(now.Absent) != 0 {
		t.Errorf("idle: %+v, was %d", now, idle)
	}
	block, err := s.node.Block(idle)
	if err != nil || len(block.Txs) != 0 || block.After != s.node.Status().State {
		t.Errorf("proof block: %+v, %v", block, err)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	s := alone(t)
	first := s.confirm("one")
	s.end()
	if _, err := s.node.Submit(t.Context(), []byte("late")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("submit after the end: %v", err)
	}
	s.start()
	if out, ok, err := s.node.Find(bft.TxHash([]byte("one"))); !ok || err != nil || out.Height != first.Height {
		t.Errorf("find: %+v %v %v", out, ok, err)
	}
	if out := s.confirm("two"); out.Result.Data[7] != 2 {
		t.Errorf("second: %+v", out)
	}
}

func TestApplicationThatPanicsFailsLoudly(t *testing.T) {
	s := alone(t)
	s.confirm("one")
	if _, err := s.node.Submit(t.Context(), []byte("panic")); err != nil {
		t.Fatal(err)
	}
	err := <-s.done
	s.stop = nil
	if fault.KindOf(err) != fault.Unavailable || s.node.Status().Health.State != bft.Failed {
		t.Errorf("run answered %v, health %+v", err, s.node.Status().Health)
	}
}

func TestStoreOfAnotherChainIsRefused(t *testing.T) {
	s := alone(t)
	s.end()
	other := s.genesis
	other.ChainID = bft.RandomChainID("test")
	_, err := bft.New(bft.Config{Dir: s.dir + "/bft", Store: s.store, Name: "tally", Genesis: other, App: s.app, Log: quiet()})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("another genesis: %v", err)
	}
}

func TestWaitEndsWithTheNode(t *testing.T) {
	s := alone(t)
	answer := make(chan error, 1)
	go func() {
		_, err := s.node.Wait(context.Background(), bft.Hash{1})
		answer <- err
	}()
	time.Sleep(50 * time.Millisecond)
	s.end()
	if err := <-answer; fault.KindOf(err) != fault.Unavailable {
		t.Errorf("wait: %v", err)
	}
}

func TestTwoChainsShareAProcessAndAStore(t *testing.T) {
	one := alone(t)
	two := &site{t: t, dir: t.TempDir(), store: one.store}
	two.genesis = genesis(t, two.dir+"/bft")
	one.confirm("one")
	two.edit = func(c *bft.Config) {
		c.Name = "other"
		two.app = newTally(two.store, "other")
		c.App = two.app
	}
	two.start()
	two.confirm("two")
	one.confirm("three")
	if one.app.total() != 2 || two.app.total() != 1 {
		t.Errorf("they count %d and %d", one.app.total(), two.app.total())
	}
	if _, ok, err := two.node.Find(bft.TxHash([]byte("one"))); ok || err != nil {
		t.Errorf("one chain knows the other's: %v %v", ok, err)
	}
}
