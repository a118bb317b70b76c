package machine

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// someBody draws what people may do, sensible or not.
func someBody(t *rapid.T, w *world, commands []*feed.Entry) Body {
	user := key(rapid.ByteRange(boot, stranger+2).Draw(t, "user"))
	on := rapid.Bool().Draw(t, "on")
	n := rapid.Uint64Range(0, 4).Draw(t, "n")
	text := rapid.SampledFrom([]string{"a", "b", "forbidden", "x/y"}).Draw(t, "text")
	guest := rapid.ByteRange(stranger, stranger+3).Draw(t, "guest")
	until := rapid.Uint64Range(0, 300).Draw(t, "until")
	all := []Body{
		&AddAdmin{user}, &UpdateAdmin{user}, &AcceptAdmin{}, &AddWriter{user}, &RemoveWriter{user}, &RemoveIndexer{user}, &SetAutoAddWriters{on},
		&AddIndexer{Consent{Indexer: Indexer{Key: engine(guest)}, Until: until}.Sign(who(guest), key(boot))},
		&Join{Request{Until: until}.Sign(who(guest), key(boot))}, &EnableTransactions{on}, &SetChatStatus{on || n > 0},
		&Post{Text: text, ReplyTo: pick(on, &MessageRef{Number: n}, nil)}, &SetNick{user, text}, &MuteStatus{user, on}, &SetMod{user, on},
		&SetWhitelistStatus{user, on}, &EnableWhitelist{on}, &DeleteMessage{ref(n)}, &PinMessage{ref(n), on}, &UnpinMessage{n},
		&Feature{"oracle", text, []byte("1")}, &Command{user, pick(on, "set", "ping"), []byte(pick(on, fmt.Sprintf(`{"key":"a","v":%d}`, 11+n), "null"))},
		&MsbSet{[]byte("trust" + text)}, &Chunk{[32]byte{1}, n, []byte("x")},
	}
	if len(commands) > 0 {
		all = append(all, w.pay(rapid.SampledFrom(commands).Draw(t, "command"), byte(n), nil))
	}
	return rapid.SampledFrom(all).Draw(t, "body")
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

// Any entries give the same state twice, in whatever blocks; what is refused changes
// nothing; what must hold of every state holds after each. The long form:
// INTERCOM_PROOF=1 go test -run TestProof -v.
func TestProofMachineLaws(t *testing.T) {
	rounds, long := 1, os.Getenv("INTERCOM_PROOF") != ""
	if long {
		rounds = 20
	}
	done, refused := 0, 0
	for range rounds {
		rapid.Check(t, func(rt *rapid.T) {
			a, b := anyEntries(rt, t)
			done, refused = done+a, refused+b
		})
	}
	if long {
		t.Logf("PROOF machine: %d entries carried out, %d refused that left their record alone, each on two machines, equal roots", done, refused)
	}
}

// anyEntries gives the same entries to two machines, of which one has a block for
// each and the other one block for all, and counts them.
func anyEntries(t *rapid.T, tb testing.TB) (done, refused int) {
	settles := rapid.Bool().Draw(t, "settles")
	one, two := newWorld(tb, settles), newWorld(tb, settles)
	setUp(one, two)
	var commands []*feed.Entry
	for range rapid.IntRange(1, 25).Draw(t, "entries") {
		author := rapid.SampledFrom([]byte{boot, adminKey, adminKey, adminKey, bob, mod, eve, stranger}).Draw(t, "author")
		e := one.entry(author, someBody(t, one, commands))
		before := one.visible()
		out := one.apply(e)
		if again := two.apply(e); again.Code() != out.Code() || strings.Join(again.Changed, " ") != strings.Join(out.Changed, " ") {
			t.Fatalf("%s gives %+v and %+v", out.Kind, out, again)
		}
		switch {
		case out.Refused == nil:
			done++
			if out.Kind == KindCommand && settles {
				commands = append(commands, e)
			}
		case one.visible() != before:
			t.Fatalf("%s was refused and changed the state", out.Kind)
		default:
			refused++
		}
		invariants(t, one)
	}
	a, _ := one.state.Root()
	if b, err := two.state.Root(); err != nil || a != b {
		t.Fatalf("roots %s and %s, %v", a, b, err)
	}
	return done, refused
}

func setUp(worlds ...*world) {
	for _, w := range worlds {
		w.do(boot, &AddAdmin{key(adminKey)})
		w.do(adminKey, &SetChatStatus{true})
		w.do(bob, &Post{Text: "first"})
	}
}

// invariants are what every state has to be.
func invariants(t *rapid.T, w *world) {
	indexers, err := w.m.Indexers(w.state)
	if err != nil || len(indexers) == 0 {
		t.Fatalf("no indexer is left: %v", err)
	}
	for i, x := range indexers {
		if now, _, _ := MayWrite(w.state, x.Author); !now {
			t.Fatalf("indexer %s may not write", x.Author)
		}
		for _, y := range indexers[:i] {
			if x.Key == y.Key || !less(y.Author, x.Author) {
				t.Fatalf("the indexers are %v", indexers)
			}
		}
	}
	s, err := SettingsOf(w.state)
	if err != nil || s.Admin.IsZero() {
		t.Fatalf("the settings are %+v, %v", s, err)
	}
	for _, needed := range []identity.PublicKey{s.Admin, key(boot)} {
		if now, _, _ := MayWrite(w.state, needed); !now {
			t.Fatalf("%s may not write", needed)
		}
	}
	writers, joined := uint64(0), uint64(0)
	for n := byte(1); n < 20; n++ {
		if now, _, _ := MayWrite(w.state, key(n)); now {
			writers++
			if v := (&view{from: w.state}); !v.inviter(key(n)).IsZero() {
				joined++
			}
		}
	}
	if v := (&view{from: w.state}); writers != s.Writers || joined != v.count("joined") {
		t.Fatalf("%d writers, of whom %d joined; counted as %d and %d", writers, joined, s.Writers, v.count("joined"))
	}
}

// Whatever the bytes of an entry, it has an outcome.
func FuzzApply(f *testing.F) {
	for _, b := range samples() {
		raw, err := Encode(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, byte(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, author byte) {
		w := newWorld(t, len(body)%2 == 0)
		setUp(w)
		e := w.raw(boot+author%6, body)
		before := w.visible()
		out, err := w.m.Apply(w.state, e, 5)
		if err != nil || out.Refused != nil && out.Refused.Kind == fault.Internal {
			t.Fatalf("%+v, %v", out, err)
		}
		if out.Refused != nil && w.visible() != before {
			t.Fatal("what was refused changed the state")
		}
		if w.m.Check(e) != nil && out.Refused == nil {
			t.Fatal("an entry without form was carried out")
		}
	})
}
