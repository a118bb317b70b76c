package chain_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// pieces is a state of that many large leaves as a server sends it. The
// application does not read them.
func pieces(t *testing.T, leaves int) (list [][]byte, root bft.Hash) {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	space := s.Space("source")
	tree := merkle.Open(space, 1)
	u, err := tree.Update()
	if err != nil {
		t.Fatal(err)
	}
	for i := range leaves {
		u.Set(fmt.Append(nil, "leaf ", i), fmt.Appendf(nil, "%050000d", i))
	}
	batch := space.Batch()
	if _, err = u.Write(batch, 1); err == nil {
		err = batch.Apply()
	}
	if err != nil {
		t.Fatal(err)
	}
	view, err := tree.Last()
	if err != nil {
		t.Fatal(err)
	}
	var piece, after []byte
	for more := true; more; more = after != nil {
		if piece, after, err = view.List(after, bft.MaxPiece); err != nil {
			t.Fatal(err)
		}
		list = append(list, piece)
	}
	return list, bft.Hash(view.Root())
}

// handing gives the pieces one after the other and fails behind that many.
func handing(list [][]byte, until int) func() ([]byte, error) {
	return func() ([]byte, error) {
		switch {
		case until == 0:
			return nil, errors.New("the server is gone")
		case len(list) == 0:
			return nil, nil
		}
		piece := list[0]
		list, until = list[1:], until-1
		return piece, nil
	}
}

func TestStateIsTakenOverWholeOrNotAtAll(t *testing.T) {
	list, root := pieces(t, 250) // more than one portion
	g := found(t, nil, newSite(t))
	disk := store.NewDisk()
	open := func(d *store.Disk) (*chain.App, *store.Store) {
		s, err := d.Open()
		if err != nil {
			t.Fatal(err)
		}
		app, err := chain.Open(s, "main", quiet())
		if err != nil {
			t.Fatal(err)
		}
		return app, s
	}
	app, s := open(disk)
	if _, err := app.Init(g); err != nil { // it may have stood at its genesis
		t.Fatal(err)
	}
	wrong := root
	wrong[0] ^= 1
	if err := app.Restore(g, 1000, wrong, handing(list, -1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another state: %v", err)
	}
	if err := app.Restore(g, 1000, root, handing(list[1:], -1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without its first piece: %v", err)
	}
	// The power is cut within the first portion and behind it: nothing of it is
	// a state, and the application begins at its genesis or takes another one.
	for _, cut := range []int{3, len(list) - 1} {
		var dark *store.Disk
		hand := handing(list, cut)
		err := app.Restore(g, 1000, root, func() ([]byte, error) {
			piece, err := hand()
			if err != nil {
				dark = disk.Crash(uint64(cut))
			}
			return piece, err
		})
		if err == nil {
			t.Fatal("half a state was taken")
		}
		after, s := open(dark)
		if height, _, err := after.Last(); height != 0 || err != nil {
			t.Errorf("half a state is one at %d, %v", height, err)
		}
		if _, err := after.Init(g); err != nil {
			t.Errorf("the genesis after half a state: %v", err)
		}
		_ = s.Close()
	}
	if err := app.Restore(g, 1000, root, handing(list, -1)); err != nil {
		t.Fatal(err)
	}
	after, s2 := open(disk.Crash(0))
	defer s2.Close()
	for name, a := range map[string]*chain.App{"at once": app, "after a cut of power": after} {
		if height, state, err := a.Last(); height != 1000 || state != root || err != nil {
			t.Errorf("%s: %d %s, %v", name, height, state, err)
		}
		if _, _, err := a.Piece(2, nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s a portion passes as a state: %v", name, err)
		}
	}
	_ = s.Close()
}

func TestProofLateNodeTakesTheStateOverAndSettles(t *testing.T) {
	accounts := 3000
	if os.Getenv("INTERCOM_PROOF") != "" {
		accounts = 100_000
	}
	var more []bus.Funds
	for i := range accounts {
		more = append(more, bus.Funds{Address: address(fmt.Sprint("one of many ", i)), Balance: amount(t, "1")})
	}
	sites := town(t, 1, more...)
	for range 3 {
		if r := settle(t, sites[0].ledger, sites[0].sign("alice", pay(t, "bob", "1"))); r.Code != bus.OK {
			t.Fatalf("%+v", r)
		}
	}
	await(t, "the chain rests", func() bool { return sites[0].node.Status().Waiting == 0 })

	late := newSite(t)
	late.genesis = sites[0].genesis
	id, err := bft.PeerID(sites[0].dir + "/bft")
	if err != nil {
		t.Fatal(err)
	}
	late.peers = []bft.Peer{{ID: id, Addr: sites[0].listen}}
	app, err := chain.Open(late.store, "main", quiet())
	if err != nil {
		t.Fatal(err)
	}
	node, err := bft.New(bft.Config{
		Dir: late.dir + "/bft", Store: late.store, Name: "main", Genesis: late.genesis, App: app, Log: quiet(), MaxTx: bus.MaxTx,
	})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	height, err := node.Join(t.Context(), follow(t, late.genesis, served(t, "v0", sites[0].node)).follower)
	if err != nil || height < 3 {
		t.Fatalf("joined at %d: %v", height, err)
	}
	joined := time.Since(begun)
	late.start()
	t.Logf("PROOF a state of %d accounts was taken over in %v; the node was in step %v after it began to join",
		accounts, joined.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	if r := settle(t, late.ledger, late.sign("bob", pay(t, "carol", "2"))); r.Code != bus.OK {
		t.Errorf("%+v", r)
	}
	await(t, "both have one state", func() bool {
		_, here, _ := late.app.Last()
		_, there, _ := sites[0].app.Last()
		return here == there
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, known, _, err := late.ledger.Account(ctx, key("one of many 7").PublicKey(), 0)
	if err != nil || !known || a.Balance.String() != "1" {
		t.Errorf("an account that never moved: %+v, %v %v", a, known, err)
	}
}
