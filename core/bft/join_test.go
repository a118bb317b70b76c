package bft_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/store"
)

// albums is a town whose nodes show all they hold, after some transactions.
func albums(t *testing.T, n, txs int) []*site {
	sites := plan(t, n)
	for _, s := range sites {
		s.withAlbum().start()
	}
	for i := range txs {
		sites[i%n].confirm(fmt.Sprint("tx", i))
	}
	return sites
}

// newcomer is a site that has nothing yet and is known to nobody.
func newcomer(t *testing.T, of []*site) *site {
	s := newSite(t, t.TempDir())
	t.Cleanup(func() { s.store.Close() })
	s.genesis, s.peers = of[0].genesis, of[0].peers
	return s.withAlbum()
}

// join opens the newcomer's node and lets it join from those servers.
func (s *site) join(ctx context.Context, servers ...bft.Server) (int64, *desk, error) {
	s.t.Helper()
	s.app = newTally(s.store, "tally")
	cfg := bft.Config{Dir: s.dir + "/bft", Store: s.store, Name: "tally", Genesis: s.genesis, Log: quiet()}
	s.edit(&cfg)
	node, err := bft.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	d := follow(s.t, s.genesis, nil, servers...)
	height, err := node.Join(ctx, d.Follower)
	return height, d, err
}

func TestNewcomerTakesOverTheStateAndGoesOn(t *testing.T) {
	sites := plan(t, 2)
	strangers := func(c *bft.Config) { c.Strangers = true }
	for _, s := range sites {
		s.edit = strangers
		s.withAlbum().start()
	}
	for i := range 11 {
		sites[i%2].confirm(fmt.Sprint("tx", i))
	}
	tip := sites[0].settled()
	late := newcomer(t, sites)
	height, _, err := late.join(t.Context(), served(t, "one", sites[0].node))
	if err != nil || height != tip-1 {
		t.Fatalf("joined at %d of %d: %v", height, tip, err)
	}
	late.start() // a new process: nothing but the store is left
	if late.album.restored != 0 || !late.album.shows([]byte("tx0")) {
		t.Error("the state did not survive")
	}
	late.confirm("from the newcomer")
	wait(t, "everybody has it", func() bool {
		_, here, _ := late.album.Last()
		_, there, _ := sites[0].album.Last()
		return here == there && sites[1].album.shows([]byte("from the newcomer"))
	})
	if _, err := late.node.Block(2); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a block of before: %v", err)
	}

	// Whoever follows the newcomer needs nobody else, and may land there too.
	wait(t, "the newcomer has blocks of its own", func() bool { return late.node.Status().Height > height+2 })
	own := served(t, "newcomer", late.node)
	f := follow(t, late.genesis, nil, own)
	if h, err := f.Sync(t.Context()); err != nil || h.Height <= height {
		t.Errorf("following the newcomer: %+v, %v", h, err)
	}
	third := newcomer(t, sites)
	if at, _, err := third.join(t.Context(), own); err != nil || at <= height {
		t.Errorf("the third landed at %d: %v", at, err)
	}
	late.end()
	if at, _, err := late.join(t.Context()); at != 0 || err != nil {
		t.Errorf("one that has a state joins again: %d, %v", at, err)
	}
}

// A newcomer whose process ends between the state and its first block begins
// there again.
func TestNewcomerStartsTwiceBeforeItsFirstBlock(t *testing.T) {
	sites := albums(t, 1, 4)
	sites[0].settled()
	late := newcomer(t, sites)
	late.peers = nil
	height, _, err := late.join(t.Context(), served(t, "one", sites[0].node))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		late.start()
		if now := late.node.Status(); now.Height != height {
			t.Errorf("it stands at %d, not %d", now.Height, height)
		}
		late.end()
	}
}

// liars of pieces: what each of them does to the answers of kind 8.
func TestNewcomerDropsServersThatLie(t *testing.T) {
	sites := albums(t, 1, 10)
	sites[0].settled()
	body := func(raw []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(raw)+1)), append([]byte{0}, raw...)...)
	}
	pieces := func(change func([]byte) []byte) func(byte, []byte) []byte {
		return func(kind byte, answer []byte) []byte {
			if kind == 8 {
				return change(answer)
			}
			return answer
		}
	}
	cases := []struct {
		name  string
		fault bft.Fault
		lie   func(kind byte, answer []byte) []byte
	}{
		{"wrong piece", bft.Lied, pieces(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })},
		{"end too early", bft.Lied, pieces(func([]byte) []byte { return body(make([]byte, 9)) })},
		{"for ever nothing", bft.Lied, pieces(func([]byte) []byte {
			return body([]byte{1, 0, 0, 0, 1, 7, 0, 0, 0, 0})
		})},
		{"the first piece for ever", bft.Lied, pieces(func([]byte) []byte {
			piece, _, _ := sites[0].album.Piece(sites[0].node.Status().Height-1, nil)
			raw := append([]byte{0, 0, 0, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(piece)))...)
			return body(append(raw, piece...))
		})},
		{"too long", bft.Lied, pieces(func([]byte) []byte { return []byte{0xff, 0, 0, 0, 0} })},
		{"wrong header", bft.Lied, func(kind byte, answer []byte) []byte {
			if kind == 2 {
				answer[len(answer)-40] ^= 1
			}
			return answer
		}},
		{"silent", bft.Silent, pieces(func([]byte) []byte { return nil })},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			late := newcomer(t, sites)
			_, d, err := late.join(t.Context(), liar(t, "liar", sites[0].node, c.lie))
			if fault.KindOf(err) != fault.Unavailable || !d.told("liar", c.fault) {
				t.Errorf("joined from a liar alone: %v, noticed %+v", err, d.notices)
			}
			if height, _, _ := late.album.Last(); height != 0 {
				t.Errorf("half a state is one at %d", height)
			}
			height, d, err := late.join(t.Context(), liar(t, "liar", sites[0].node, c.lie), served(t, "honest", sites[0].node))
			if err != nil || height == 0 || !d.told("liar", c.fault) || d.told("honest", bft.Lied) {
				t.Errorf("joined at %d: %v, noticed %+v", height, err, d.notices)
			}
		})
	}
}

// The process ends after every one of the pieces: what was taken is no state,
// and the next attempt begins anew.
func TestHalfASnapshotIsNoState(t *testing.T) {
	sites := albums(t, 1, 10)
	sites[0].settled()
	honest := served(t, "one", sites[0].node)
	late := newcomer(t, sites)
	for cut := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		server, asked := honest, 0
		server.Open = func(c context.Context) (io.ReadWriteCloser, error) {
			if asked++; asked > 4+cut {
				cancel()
			}
			return honest.Open(c)
		}
		if _, _, err := late.join(ctx, server); err == nil {
			t.Fatalf("cut after %d questions, it joined", asked)
		}
		if height, _, _ := newAlbum(late.store).Last(); height != 0 {
			t.Errorf("half a state is one at %d", height)
		}
		cancel()
	}
	if height, _, err := late.join(t.Context(), honest); err != nil || height == 0 {
		t.Errorf("joined at %d: %v", height, err)
	}
}

func TestReplicaLandsOnASnapshot(t *testing.T) {
	sites := albums(t, 2, 9)
	sites[0].settled()
	server := served(t, "one", sites[0].node)
	memory, _ := store.OpenMemory()
	defer memory.Close()
	app := newAlbum(memory)
	r, err := bft.NewReplica(sites[0].genesis, app, memory.Space("replica"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Join(t.Context(), follow(t, sites[0].genesis, nil, server).Follower); err != nil {
		t.Fatal(err)
	}
	landed := r.Height()
	if r, err = bft.NewReplica(sites[0].genesis, app, memory.Space("replica")); err != nil || r.Height() != landed {
		t.Fatalf("after a restart it is at %d, not %d: %v", r.Height(), landed, err)
	}
	sites[0].confirm("one more")
	tip := sites[0].settled()
	for r.Height() < tip {
		if _, err := r.Ask(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	_, here, _ := app.Last()
	if _, there, _ := sites[0].album.Last(); here != there {
		t.Errorf("state %s, not %s", here, there)
	}
}
