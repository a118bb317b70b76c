package chain_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"intercom/core/bft"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// The kinds of questions of the stream protocol, and its status that there is
// nothing.
const (
	askTip, askHeader, askQuery, askListing = 1, 2, 6, 9
	statusNotFound                          = 1
)

// liar changes the answers of an honest server; nil is no answer at all.
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

// nothing is the answer that there is nothing.
func nothing() []byte { return []byte{0, 0, 0, 1, statusNotFound} }

// TestEveryLieIsNoticed has four validators and a fifth server that lies: what is
// read stays true, and the liar is named.
func TestEveryLieIsNoticed(t *testing.T) {
	sites := town(t, 4)

	// What the liar remembers of the time when dora had 1.
	var mu sync.Mutex
	old := make(map[byte][]byte)
	remember := liar(t, "memory", sites[0].node, func(kind byte, answer []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		old[kind] = bytes.Clone(answer)
		return answer
	})
	d := follow(t, sites[0].genesis, remember)
	settle(t, d, sites[0].sign("alice", pay(t, "dora", "1")))
	if a, _, _, err := d.Account(t.Context(), key("dora").PublicKey(), 0); err != nil || a.Balance != amount(t, "1") {
		t.Fatalf("%+v, %v", a, err)
	}
	for range 3 {
		settle(t, sites[1].ledger, sites[1].sign("alice", pay(t, "dora", "0.5")))
	}
	last := sites[1].sign("alice", pay(t, "dora", "0.5"))
	record := settle(t, sites[1].ledger, last)
	await(t, "all four have it", func() bool {
		for _, s := range sites {
			if s.node.Status().Height <= int64(record.Height) {
				return false
			}
		}
		return true
	})

	flip := func(back int) func([]byte) []byte {
		return func(answer []byte) []byte {
			if len(answer) > back+5 {
				answer[len(answer)-back] ^= 1
			}
			return answer
		}
	}
	for name, lie := range map[string]struct {
		kind  byte
		how   func(answer []byte) []byte
		fault bft.Fault
	}{
		"wrong newest header": {askTip, flip(5), bft.Lied},
		"wrong header":        {askHeader, flip(40), bft.Lied},
		"wrong balance":       {askQuery, func(a []byte) []byte { a[5+1+1+4+1+32+15] ^= 1; return a }, bft.Lied},
		"wrong proof":         {askQuery, flip(1), bft.Lied},
		"wrong transactions":  {askListing, flip(30), bft.Lied},
		"an old state":        {askQuery, func([]byte) []byte { return bytes.Clone(old[askQuery]) }, bft.Lied},
		"an old height":       {askTip, func([]byte) []byte { return bytes.Clone(old[askTip]) }, bft.Behind},
		"withheld":            {askQuery, func([]byte) []byte { return nothing() }, bft.Withheld},
		"nonsense":            {askQuery, func([]byte) []byte { return []byte{0, 0, 0, 2, 0, 7} }, bft.Lied},
		"silence":             {askQuery, func([]byte) []byte { return nil }, bft.Silent},
	} {
		t.Run(name, func(t *testing.T) {
			servers := []bft.Server{liar(t, "liar", sites[0].node, func(kind byte, answer []byte) []byte {
				if kind == lie.kind {
					return lie.how(answer)
				}
				return answer
			})}
			for i, s := range sites {
				servers = append(servers, served(t, string(rune('a'+i)), s.node))
			}
			d := follow(t, sites[0].genesis, servers...)
			a, _, at, err := d.Account(t.Context(), key("dora").PublicKey(), 0)
			if err != nil || a.Balance != amount(t, "3") || at < int64(record.Height) {
				t.Errorf("dora: %+v at %d, %v", a, at, err)
			}
			if _, settled, at, err := d.Record(t.Context(), bus.ID{7}); settled || err != nil || at < int64(record.Height) {
				t.Errorf("a transaction that nobody sent: %t at %d, %v", settled, at, err)
			}
			if a, _, _, err := d.Account(t.Context(), key("dora").PublicKey(), int64(record.Height)-1); err != nil || a.Balance != amount(t, "2.5") {
				t.Errorf("dora before: %+v, %v", a, err)
			}
			list, _, err := d.Txs(t.Context(), chain.Place{Height: int64(record.Height)}, int64(record.Height), 10)
			if err != nil || len(list) != 1 || list[0].Tx.ID != last.ID {
				t.Errorf("listed %+v, %v", list, err)
			}
			// On a slow machine an answer may come too late to be looked at.
			await(t, "the liar is named", func() bool {
				_, _, _, _ = d.Account(t.Context(), key("dora").PublicKey(), int64(record.Height)-1)
				_, _, _ = d.Txs(t.Context(), chain.Place{Height: int64(record.Height)}, 0, 10)
				return d.told("liar", lie.fault)
			})
			d.mu.Lock()
			defer d.mu.Unlock()
			for _, n := range d.notices {
				if n.Server != "liar" && n.Fault != bft.Silent {
					t.Errorf("an honest server is blamed: %+v", n)
				}
			}
			if _, forked := d.follower.Evidence(); forked {
				t.Error("a lie passes for a fork")
			}
		})
	}
}

// TestLiarAloneProvesNothing has nobody honest to ask: there is no answer rather
// than a false one.
func TestLiarAloneProvesNothing(t *testing.T) {
	s := town(t, 1)[0]
	settle(t, s.ledger, s.sign("alice", pay(t, "dora", "1")))
	d := follow(t, s.genesis, liar(t, "liar", s.node, func(kind byte, answer []byte) []byte {
		if kind == askQuery {
			answer[len(answer)-1] ^= 1
		}
		return answer
	}))
	if a, known, _, err := d.Account(t.Context(), key("dora").PublicKey(), 0); err == nil {
		t.Errorf("it answers %+v, %t", a, known)
	}
	if _, settled, _, err := d.Record(t.Context(), bus.ID{1}); err == nil {
		t.Errorf("it answers that a transaction is not there, %t", settled)
	}
}
