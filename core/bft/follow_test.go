package bft_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/store"
)

// served is a node as a follower reaches it.
func served(t testing.TB, name string, n *bft.Node) bft.Server {
	return bft.Server{Name: name, Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		go func() {
			defer far.Close()
			_ = n.Serve(ctx, far)
		}()
		return near, nil
	}}
}

// liar changes the answers of an honest server; a nil answer hangs.
func liar(t testing.TB, name string, n *bft.Node, lie func(kind byte, answer []byte) []byte) bft.Server {
	honest := served(t, "", n)
	return bft.Server{Name: name, Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		go func() {
			defer far.Close()
			request, err := frame(far)
			if err != nil {
				return
			}
			real, _ := honest.Open(ctx)
			defer real.Close()
			_, _ = real.Write(request)
			answer, err := frame(real)
			if err != nil {
				return
			}
			if answer = lie(request[4], answer); answer == nil {
				<-ctx.Done()
				return
			}
			_, _ = far.Write(answer)
		}()
		return near, nil
	}}
}

func frame(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head))
	_, err := io.ReadFull(r, body)
	return append(head, body...), err
}

// desk is a follower and what it was told of servers.
type desk struct {
	*bft.Follower
	mu      sync.Mutex
	notices []bft.Notice
}

func follow(t testing.TB, g bft.Genesis, space *store.Space, servers ...bft.Server) *desk {
	t.Helper()
	d := &desk{}
	f, err := bft.NewFollower(bft.FollowerConfig{
		Genesis: g, Space: space, Log: quiet(), Patience: 2 * time.Second,
		Servers: func() []bft.Server { return servers },
		Notice: func(n bft.Notice) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.notices = append(d.notices, n)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Follower = f
	return d
}

func (d *desk) told(server string, f bft.Fault) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.notices {
		if n.Server == server && n.Fault == f {
			return true
		}
	}
	return false
}

func TestFollowerSendsAndProvesThroughOneServer(t *testing.T) {
	s := alone(t)
	memory, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	server := served(t, "one", s.node)
	f := follow(t, s.genesis, memory.Space("light"), server)
	if _, err := f.Sync(t.Context()); err != nil && fault.KindOf(err) != fault.Unavailable {
		t.Errorf("sync with an empty chain: %v", err)
	}
	for _, tx := range []string{"good", "bad"} {
		if res, err := f.Submit(t.Context(), []byte(tx)); err != nil || res.Code != 0 {
			t.Fatalf("submit: %v %v", res, err)
		}
		var p bft.Proven
		wait(t, "the proof", func() bool {
			p, _, err = f.Prove(t.Context(), bft.TxHash([]byte(tx)))
			return fault.KindOf(err) != fault.NotFound
		})
		if err != nil || string(p.Tx) != tx || (p.Result.Code == 0) != (tx == "good") {
			t.Errorf("%s: %+v, %v", tx, p, err)
		}
	}
	if res, err := f.Submit(t.Context(), []byte("no")); err != nil || res.Code != 7 {
		t.Errorf("refused: %v %v", res, err)
	}
	tip := s.settled()
	head, err := f.Sync(t.Context())
	if err != nil || head.Height != tip {
		t.Errorf("head %d, %v", head.Height, err)
	}
	again := follow(t, s.genesis, memory.Space("light"))
	if h, ok := again.Head(); !ok || h.Hash != head.Hash {
		t.Errorf("after a restart the head is %+v", h)
	}
	if _, err := again.Sync(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("nobody to ask: %v", err)
	}
	g, err := bft.AskGenesis(t.Context(), server, s.genesis.Hash())
	if err != nil || g.ChainID != s.genesis.ChainID {
		t.Errorf("genesis: %v", err)
	}
	if _, err := bft.AskGenesis(t.Context(), server, bft.Hash{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another genesis: %v", err)
	}
	if len(f.notices) != 0 {
		t.Errorf("an honest server was blamed: %+v", f.notices)
	}
}

func TestEveryLieOfAServerIsNoticed(t *testing.T) {
	s := alone(t)
	s.confirm("one")
	old, err := s.node.SignedHeader(s.settled())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s.confirm(fmt.Sprint("more ", i))
	}
	tip := s.settled()
	hash := bft.TxHash([]byte("one"))
	honest := served(t, "honest", s.node)
	flip := func(kind byte, at int) func(byte, []byte) []byte {
		return func(k byte, answer []byte) []byte {
			if k == kind {
				answer[len(answer)-at] ^= 1
			}
			return answer
		}
	}
	cases := []struct {
		name  string
		fault bft.Fault
		lie   func(kind byte, answer []byte) []byte
	}{
		{"wrong header", bft.Lied, flip(1, 40)},
		{"wrong proof", bft.Lied, flip(3, 1)},
		{"wrong result", bft.Lied, func(kind byte, answer []byte) []byte {
			if kind == 3 {
				answer[len(answer)-14] ^= 1
			}
			return answer
		}},
		{"old height", bft.Behind, func(kind byte, answer []byte) []byte {
			if kind != 1 {
				return answer
			}
			body := append([]byte{0, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(old)))...)
			body = append(body, old...)
			return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
		}},
		{"withheld", bft.Withheld, func(kind byte, answer []byte) []byte {
			if kind == 3 {
				return []byte{0, 0, 0, 1, 1}
			}
			return answer
		}},
		{"silent", bft.Silent, func(kind byte, answer []byte) []byte {
			if kind == 3 {
				return nil
			}
			return answer
		}},
		{"too long", bft.Lied, func(kind byte, answer []byte) []byte { return []byte{0xff, 0, 0, 0, 0} }},
		{"too short", bft.Silent, func(kind byte, answer []byte) []byte { return answer[:len(answer)-1] }},
		{"another proof", bft.Lied, func(kind byte, answer []byte) []byte {
			if kind == 3 {
				raw, _ := s.node.Prove(bft.TxHash([]byte("more 1")))
				return append(binary.BigEndian.AppendUint32(nil, uint32(len(raw)+1)), append([]byte{0}, raw...)...)
			}
			return answer
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := follow(t, s.genesis, nil, honest, liar(t, "liar", s.node, c.lie))
			if head, err := f.Sync(t.Context()); err != nil || head.Height != tip {
				t.Errorf("sync: %+v, %v", head, err)
			}
			if p, _, err := f.Prove(t.Context(), hash); err != nil || string(p.Tx) != "one" {
				t.Errorf("prove: %+v, %v", p, err)
			}
			if !f.told("liar", c.fault) {
				t.Errorf("not noticed as %s: %+v", c.fault, f.notices)
			}
			for _, n := range f.notices {
				if n.Server == "honest" {
					t.Errorf("the honest one was blamed: %+v", n)
				}
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		f := follow(t, s.genesis, nil, liar(t, "liar", s.node, flip(1, 40)))
		if _, err := f.Sync(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("sync with a liar alone: %v", err)
		}
	})
}

func TestTwoHistoriesAreEvidence(t *testing.T) {
	s := alone(t)
	s.confirm("one history")
	s.settled()
	// The same key runs the same genesis once more, with an empty store.
	twin := newSite(t, t.TempDir())
	t.Cleanup(func() { twin.store.Close() })
	copyKey(t, s.dir+"/bft", twin.dir+"/bft")
	twin.genesis = s.genesis
	twin.start()
	twin.confirm("another history")
	twin.settled()

	memory, _ := store.OpenMemory()
	defer memory.Close()
	f := follow(t, s.genesis, memory.Space("light"), served(t, "a", s.node), served(t, "b", twin.node))
	wait(t, "the contradiction", func() bool {
		_, err := f.Sync(t.Context())
		return fault.KindOf(err) == fault.Conflict
	})
	e, ok := f.Evidence()
	if !ok || bft.VerifyEvidence(s.genesis.Trust(), e) != nil {
		t.Errorf("evidence: %+v", e)
	}
	again := follow(t, s.genesis, memory.Space("light"), served(t, "a", s.node))
	if _, err := again.Sync(t.Context()); fault.KindOf(err) != fault.Conflict {
		t.Errorf("forgotten after a restart: %v", err)
	}
	if e.A = e.B; bft.VerifyEvidence(s.genesis.Trust(), e) == nil {
		t.Error("one header alone is evidence")
	}
}

func TestFollowerLearnsNewValidators(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, dir)
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, dir+"/bft")
	own := s.genesis.Validators[0]
	s.sets = func(height int64) []bft.Validator {
		own.Power = 10 + height // another set with every block
		return []bft.Validator{own}
	}
	s.start()
	for i := range 30 {
		s.confirm(fmt.Sprint("tx", i))
	}
	tip := s.settled()
	f := follow(t, s.genesis, nil, served(t, "one", s.node))
	head, err := f.Sync(t.Context())
	if err != nil || head.Height != tip || len(f.Trust().Sets) < 20 {
		t.Fatalf("head %+v with %d sets, %v", head, len(f.Trust().Sets), err)
	}
	if _, _, err := f.Prove(t.Context(), bft.TxHash([]byte("tx3"))); err != nil {
		t.Errorf("an old proof: %v", err)
	}
}

func TestReplicaComesToTheSameState(t *testing.T) {
	sites := town(t, 2)
	for i := range 10 {
		sites[1-i%2].confirm(fmt.Sprint("tx", i))
	}
	tip := sites[0].settled()
	memory, _ := store.OpenMemory()
	defer memory.Close()
	app := newTally(memory, "replica")
	open := func() *bft.Replica {
		r, err := bft.NewReplica(sites[0].genesis, app, memory.Space("replica"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	server := served(t, "one", sites[0].node)
	for r.Height() < tip {
		if _, err := r.Ask(t.Context(), server); err != nil {
			t.Fatal(err)
		}
		if r.Height() == tip/2 {
			r = open() // a restart
		}
	}
	_, here, _ := app.Last()
	if _, there, _ := sites[0].app.Last(); here != there {
		t.Errorf("state %s, not %s", here, there)
	}
	if _, err := r.Ask(t.Context(), server); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a block that is not there: %v", err)
	}

	// Another program comes to another state: the next block says so.
	raw := func(height int64) []byte {
		b, err := sites[0].node.EncodedBlock(height)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	other, _ := store.OpenMemory()
	defer other.Close()
	wrong := newTally(other, "replica")
	r2, err := bft.NewReplica(sites[0].genesis, wrong, other.Space("replica"))
	if err != nil {
		t.Fatal(err)
	}
	everyBitCounts(t, raw(1), func(b []byte) error {
		_, err := r2.Apply(b)
		return err
	})
	if _, err := r2.Apply(raw(2)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("block 2 first: %v", err)
	}
	if _, err := r2.Apply(raw(1)); err != nil {
		t.Fatal(err)
	}
	wrong.state[0] ^= 1
	var last error
	for height := int64(2); height <= tip && last == nil; height++ {
		_, last = r2.Apply(raw(height))
	}
	if fault.KindOf(last) != fault.Conflict {
		t.Errorf("another result: %v", last)
	}
}

func TestServerEndsWithANonsenseRequest(t *testing.T) {
	s := alone(t)
	for _, request := range []string{"\x00\x00\x00\x00", "\x00\x00\x00\x01\x63", "\xff\xff\xff\xff\x01", "\x00\x00\x00\x03\x01ab", "\x00\x00\x00\x09\x02\xff\xff\xff\xff\xff\xff\xff\xff"} {
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.node.Serve(t.Context(), far); far.Close() }()
		_, _ = near.Write([]byte(request))
		_, _ = io.Copy(io.Discard, near)
		near.Close()
		if err := <-done; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", request, err)
		}
	}
}
