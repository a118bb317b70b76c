package bft_test

import (
	"errors"
	"fmt"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
)

func TestListingHoldsAndNothingElseDoes(t *testing.T) {
	s := alone(t)
	good := s.confirm("good")
	bad := s.confirm("bad")
	tip := s.settled()
	trust := s.genesis.Trust()
	for height := int64(1); height < tip; height++ {
		raw, err := s.node.Listing(height)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bft.VerifyListing(trust, raw)
		own, errOwn := s.node.Block(height)
		if err != nil || errOwn != nil || b.Header != own.Header || b.After != own.After ||
			fmt.Sprint(b.Txs) != fmt.Sprint(own.Txs) || len(b.Results) != len(own.Results) {
			t.Errorf("block %d: %+v, %v; it is %+v, %v", height, b, err, own, errOwn)
		}
		if height == bad.Height && b.Results[bad.Index].Code != 9 {
			t.Errorf("block %d: %+v", height, b.Results)
		}
		if height == good.Height {
			everyBitCounts(t, raw, func(b []byte) error { _, err := bft.VerifyListing(trust, b); return err })
		}
	}
	if _, err := s.node.Listing(tip); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the newest block, whose results nobody signed: %v", err)
	}
}

func TestFollowerListsBlocksInSpiteOfALiar(t *testing.T) {
	s := alone(t)
	out := s.confirm("tx")
	s.settled()
	f := follow(t, s.genesis, nil,
		liar(t, "liar", s.node, func(kind byte, answer []byte) []byte {
			if kind == 9 && len(answer) > 100 {
				answer[len(answer)-20] ^= 1
			}
			return answer
		}),
		served(t, "one", s.node))
	b, err := f.Block(t.Context(), out.Height)
	if err != nil || len(b.Txs) != 1 || string(b.Txs[0]) != "tx" {
		t.Errorf("%+v, %v", b, err)
	}
	if !f.told("liar", bft.Lied) {
		t.Errorf("the liar is not named: %+v", f.notices)
	}
	if _, err := f.Block(t.Context(), 1000); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a block to come: %v", err)
	}
}

func TestFollowerHandsOnWhatChangedItsTrust(t *testing.T) {
	s := newSite(t, t.TempDir())
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, s.dir+"/bft")
	own := s.genesis.Validators[0]
	s.sets = func(height int64) []bft.Validator {
		own.Power = 10 + height/2
		return []bft.Validator{own}
	}
	s.start()
	for i := range 40 {
		s.confirm(fmt.Sprint("tx", i))
	}
	s.settled()
	f := follow(t, s.genesis, nil, served(t, "one", s.node))
	for _, from := range []int64{1, 1} {
		updates, err := f.Updates(t.Context(), from)
		if err != nil || len(updates) < 17 {
			t.Fatalf("%d updates, %v", len(updates), err)
		}
		trust := s.genesis.Trust()
		for _, update := range updates {
			if trust, err = bft.Advance(trust, update); err != nil {
				t.Fatal(err)
			}
		}
		middle := trust.Sets[9].From
		rest, err := f.Updates(t.Context(), middle)
		if err != nil || len(rest) != len(updates)-9 {
			t.Errorf("from %d: %d of %d updates, %v", middle, len(rest), len(updates), err)
		}
		if _, err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueryAtTakesAnswersOfThatStateAlone(t *testing.T) {
	s := alone(t)
	s.edit = func(c *bft.Config) { c.App = asked{s.app} }
	s.end()
	s.start()
	s.confirm("tx")
	s.settled()
	f := follow(t, s.genesis, nil,
		liar(t, "liar", s.node, func(kind byte, answer []byte) []byte {
			if kind == 6 {
				answer[5] ^= 1
			}
			return answer
		}),
		served(t, "one", s.node))
	head, err := f.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check := func(answer []byte) error {
		if string(answer) != head.State.String() {
			return errors.New("another state")
		}
		return nil
	}
	if answer, err := f.QueryAt(t.Context(), head, "state", nil, check); err != nil || check(answer) != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if !f.told("liar", bft.Lied) {
		t.Errorf("the liar is not named: %+v", f.notices)
	}
}

// asked is a tally that tells its state.
type asked struct{ *tally }

func (a asked) Query(string, []byte) ([]byte, error) {
	_, state, err := a.Last()
	return []byte(state.String()), err
}
