package chain

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

// begun is an application after its genesis, on a store in memory.
func begun(t testing.TB) *App {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, err := Open(s, "main", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	owner := identity.FromSeed([32]byte{1}).PublicKey()
	funds, err := bus.ParseAmount("1000")
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGenesis(bus.Genesis{
		Network: "fuzz", Accounts: []bus.Funds{{Address: owner.Address(), Balance: funds}},
		Validators: []bus.Founder{{Key: owner, Operator: owner.Address()}},
	}, time.Unix(1e9, 0))
	if err == nil {
		_, err = a.Init(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// FuzzAnswer gives any bytes as an answer: what holds is the truth, and nothing
// panics.
func FuzzAnswer(f *testing.F) {
	a := begun(f)
	owner := identity.FromSeed([32]byte{1}).PublicKey()
	keys := append(bus.NetworkLeaves(), bus.AccountLeaf(owner), bus.TxLeaf(bus.ID{1}), bus.AccountLeaf(identity.PublicKey{}))
	good, err := a.Query(queryLeaves, encodeQuestion(0, keys))
	if err != nil {
		f.Fatal(err)
	}
	view := a.now().view
	root := bft.Hash(view.Root())
	if _, err := verifyAnswer(root, keys, good); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(bytes.Clone(good), 0))
	f.Add([]byte{1})
	f.Add(newAnswer().out)
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := verifyAnswer(root, keys, raw)
		if err != nil {
			return
		}
		for _, key := range keys {
			value, ok, _ := view.Get(key)
			if got, there, err := found.Get(key); err != nil || there != ok || !bytes.Equal(got, value) {
				t.Errorf("%q is %x, %t, not %x, %t", key, got, there, value, ok)
			}
		}
	})
}

// FuzzQuestion gives any bytes as a question: it is answered or refused, and one
// that is read has one form.
func FuzzQuestion(f *testing.F) {
	a := begun(f)
	f.Add(encodeQuestion(0, bus.NetworkLeaves()))
	f.Add(encodeQuestion(1<<62, [][]byte{{1}}))
	f.Add(encodeQuestion(0, make([][]byte, 3)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		height, keys, err := decodeQuestion(raw)
		if err == nil && !bytes.Equal(encodeQuestion(height, keys), raw) {
			t.Error("a question has two encodings")
		}
		if answer, err := a.Query(queryLeaves, raw); err == nil {
			if _, err := verifyAnswer(bft.Hash(a.now().view.Root()), keys, answer); err != nil {
				t.Errorf("an honest answer does not hold: %v", err)
			}
		}
		_, _ = a.Query(string(raw), raw)
	})
}

func TestEveryByteOfAnAnswerCounts(t *testing.T) {
	a := begun(t)
	keys := [][]byte{bus.AccountLeaf(identity.FromSeed([32]byte{1}).PublicKey()), bus.TxLeaf(bus.ID{9})}
	good, err := a.Query(queryLeaves, encodeQuestion(0, keys))
	if err != nil {
		t.Fatal(err)
	}
	root := bft.Hash(a.now().view.Root())
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := verifyAnswer(root, keys, bad); err == nil {
			t.Errorf("byte %d of %d does not count", i, len(good))
		}
	}
	if _, err := verifyAnswer(root, [][]byte{keys[1], keys[0]}, good); err == nil {
		t.Error("the answer to another question holds")
	}
	if _, err := verifyAnswer(bft.Hash{1}, keys, good); err == nil {
		t.Error("the answer of another state holds")
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	a := begun(t)
	var keys [][]byte
	for i := range maxLeaves + 1 {
		keys = append(keys, fmt.Append(nil, "leaf", i))
	}
	if _, err := a.Query(queryLeaves, encodeQuestion(0, keys[:maxLeaves])); err != nil {
		t.Error(err)
	}
	for name, question := range map[string][]byte{
		"too many leaves":    encodeQuestion(0, keys),
		"none":               encodeQuestion(0, nil),
		"a long key":         encodeQuestion(0, [][]byte{make([]byte, maxKey+1)}),
		"a height to come":   encodeQuestion(1, keys[:1]),
		"a negative height":  encodeQuestion(-1, keys[:1]),
		"something behind":   append(encodeQuestion(0, keys[:1]), 0),
		"less than it says":  encodeQuestion(0, keys[:2])[:20],
		"nothing":            nil,
		"an empty key in it": encodeQuestion(0, [][]byte{{}}),
	} {
		if _, err := a.Query(queryLeaves, question); err == nil {
			t.Errorf("%s is answered", name)
		}
	}
}
