package machine

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
)

// samples has a body of every kind.
func samples() []Body {
	consent := Consent{Indexer: Indexer{Key: engine(bob)}, Until: 100}.Sign(who(bob), key(boot))
	request := Request{Until: 100}.Sign(who(stranger), key(boot))
	return []Body{
		&First{
			Contract: tester().Version(), Chain: DocumentOf([]byte("chain")), Indexers: []Indexer{{key(boot), engine(boot)}}, Writers: sorted(key(bob), key(mod)),
			Settlement: &Settlement{network, DocumentOf(make([]byte, MaxInline+1)), DocumentOf([]byte("trust"))},
		},
		&First{Contract: tester().Version(), Chain: DocumentOf([]byte("chain")), Indexers: []Indexer{{key(boot), engine(boot)}}},
		&Chunk{[32]byte{1}, 3, []byte("data")}, &AddAdmin{key(bob)}, &UpdateAdmin{key(bob)}, &AcceptAdmin{}, &AddWriter{key(bob)}, &RemoveWriter{key(bob)},
		&AddIndexer{consent}, &RemoveIndexer{key(bob)}, &SetAutoAddWriters{true}, &Join{request}, &EnableTransactions{false}, &SetChatStatus{true},
		&Post{Text: "hello"}, &Post{"é", []string{"a", ""}, &MessageRef{Number: 7}}, &Post{Text: "x", ReplyTo: &MessageRef{Entry: feed.ID{9}}},
		&SetNick{key(bob), "bob"}, &MuteStatus{key(bob), true}, &SetMod{key(bob), true}, &SetWhitelistStatus{key(bob), true}, &EnableWhitelist{true},
		&DeleteMessage{ref(1)}, &PinMessage{ref(1), true}, &UnpinMessage{3}, &Feature{"oracle", "k", []byte(`{"a":1}`)},
		&Command{key(bob), "ping", []byte("null")}, &Settled{feed.ID{1}, []byte("proof")}, &MsbSet{[]byte("update")},
	}
}

func TestBodiesHaveOneEncoding(t *testing.T) {
	kinds := map[Kind]bool{}
	for _, b := range samples() {
		kinds[b.Kind()] = true
		raw, err := Encode(b)
		if err != nil {
			t.Fatalf("%s: %v", b.Kind(), err)
		}
		back, err := Decode(raw)
		if again, err2 := Encode(back); err != nil || err2 != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: %v, %v, %+v", b.Kind(), err, err2, back)
		}
		if back.Kind() != b.Kind() || strings.HasPrefix(b.Kind().String(), "kind ") {
			t.Errorf("%s is read as %s", b.Kind(), back.Kind())
		}
		for size := range raw {
			if _, err := Decode(raw[:size]); fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%s cut at %d of %d gives %v", b.Kind(), size, len(raw), err)
			}
		}
		if _, err := Decode(append(raw, 0)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s with a byte more gives %v", b.Kind(), err)
		}
	}
	if len(kinds) != len(forms) {
		t.Errorf("%d of %d kinds have a sample", len(kinds), len(forms))
	}
}

// The largest body of each kind fits into an entry.
func TestTheLargestBodiesFitIntoEntries(t *testing.T) {
	full := make([]byte, MaxInline)
	first := &First{Chain: DocumentOf(full), Settlement: &Settlement{strings.Repeat("n", 50), DocumentOf(full), DocumentOf(full)}}
	for i := range byte(maxFirstIndexers) {
		first.Indexers = append(first.Indexers, Indexer{key(i + 1), engine(i + 1)})
	}
	for i := range first.Indexers {
		for j := i; j > 0 && less(first.Indexers[j].Author, first.Indexers[j-1].Author); j-- {
			first.Indexers[j], first.Indexers[j-1] = first.Indexers[j-1], first.Indexers[j]
		}
	}
	for i := range byte(maxFirstWriters) {
		first.Writers = append(first.Writers, key(100+i))
	}
	sorted(first.Writers...)
	text := strings.Repeat("x", MaxMessage)
	quotes := func(n int) []byte { return []byte(`"` + strings.Repeat("x", n-2) + `"`) }
	for _, b := range []Body{
		first, &Chunk{Data: make([]byte, ChunkSize)}, &Post{Text: text, Attachments: make([]string, MaxAttachments), ReplyTo: &MessageRef{Number: 1}},
		&Feature{text[:maxName], text[:256], quotes(MaxFeature)}, &Command{key(bob), text[:maxName], quotes(MaxCommand)},
		&Settled{Proof: make([]byte, MaxProof)}, &MsbSet{make([]byte, MaxUpdate)},
	} {
		if raw, err := Encode(b); err != nil || len(raw) > feed.MaxBody {
			t.Errorf("%s has %d bytes, %v", b.Kind(), len(raw), err)
		}
	}
}

// W13, W73, W74: sizes are exact, nothing is over, and what the state decides has no
// place in a body.
func TestBodiesThatBreakARuleAreNotWritten(t *testing.T) {
	long := strings.Repeat("x", MaxMessage)
	doc := DocumentOf([]byte("x"))
	forged, short := doc, doc
	forged.Hash[0]++
	short.Size++
	one := []Indexer{{key(boot), engine(boot)}}
	for name, b := range map[string]Body{
		"no key":         &AddWriter{},
		"no text":        &Post{},
		"long":           &Post{Text: long + "x"},
		"together long":  &Post{Text: long, Attachments: []string{"x"}},
		"attachments":    &Post{Text: "x", Attachments: make([]string, MaxAttachments+1)},
		"not UTF-8":      &Post{Text: "\xff"},
		"two names":      &DeleteMessage{MessageRef{feed.ID{1}, 1}},
		"big number":     &UnpinMessage{1 << 53},
		"long nick":      &SetNick{key(bob), strings.Repeat("n", MaxNick+1)},
		"strange nick":   &SetNick{key(bob), "a\nb"},
		"feature value":  &Feature{"oracle", "k", []byte(`{"b":1,"a":2}`)},
		"repeated names": &Feature{"oracle", "k", []byte(`{"a":1,"a":2}`)},
		"large value":    &Feature{"oracle", "k", []byte(`"` + long[:MaxFeature] + `"`)},
		"command":        &Command{key(bob), "ping", []byte("nul")},
		"no indexer":     &First{Chain: doc},
		"forged":         &First{Chain: forged, Indexers: one},
		"other size":     &First{Chain: short, Indexers: one},
		"no document":    &First{Indexers: one},
		"twice":          &First{Chain: doc, Indexers: append(one, one...)},
		"writers":        &First{Chain: doc, Indexers: one, Writers: append(sorted(key(bob), key(mod)), key(bob))},
	} {
		if _, err := Encode(b); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range samples() {
		raw, err := Encode(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Decode(raw)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%x gives %v", raw, err)
			}
			return
		}
		again, err := Encode(b)
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%x is %+v, which is %x, %v", raw, b, again, err)
		}
		back, err := Decode(again)
		if err != nil || !reflect.DeepEqual(back, b) {
			t.Fatalf("%+v is read as %+v, %v", b, back, err)
		}
	})
}
