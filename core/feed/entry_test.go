package feed_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// sign makes an entry of any content, also one that breaks rules.
func sign(who *identity.Identity, e feed.Entry) *feed.Entry {
	e.Author = who.PublicKey()
	e.Sig = [64]byte(who.Sign(e.Preimage()))
	return &e
}

// golden is an entry in testdata, written out.
type golden struct {
	Name    string   `json:"name"`
	Seed    string   `json:"seed"`
	Feed    string   `json:"feed"`
	Seq     uint64   `json:"seq"`
	Height  uint64   `json:"height"`
	Parents []string `json:"parents"`
	TS      int64    `json:"ts"`
	Body    string   `json:"body"`
	ID      string   `json:"id"`
	Entry   string   `json:"entry"`
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (g golden) entry(t testing.TB) *feed.Entry {
	t.Helper()
	e := feed.Entry{
		Feed: feed.FeedID(unhex(t, g.Feed)), Seq: g.Seq, Height: g.Height, TS: g.TS, Body: unhex(t, g.Body),
	}
	for _, parent := range g.Parents {
		e.Parents = append(e.Parents, feed.ID(unhex(t, parent)))
	}
	return sign(identity.FromSeed([32]byte(unhex(t, g.Seed))), e)
}

func TestFormOfEntriesNeverChanges(t *testing.T) {
	raw, err := os.ReadFile("testdata/entries.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	if err := json.Unmarshal(raw, &all); err != nil || len(all) < 3 {
		t.Fatalf("%d golden entries, %v", len(all), err)
	}
	for _, g := range all {
		e := g.entry(t)
		if got := hex.EncodeToString(e.Encode()); got != g.Entry {
			t.Errorf("%s: encoded as\n%s\nnot\n%s", g.Name, got, g.Entry)
		}
		if got := e.ID().String(); got != g.ID {
			t.Errorf("%s: id %s, not %s", g.Name, got, g.ID)
		}
		back, err := feed.Decode(unhex(t, g.Entry))
		if err != nil || back.ID() != e.ID() || !identity.Verify(back.Author, back.Preimage(), back.Sig[:]) {
			t.Errorf("%s: decoded as %+v, %v", g.Name, back, err)
		}
	}
}

// anyEntry draws an entry that keeps the rules that can be read from it alone.
func anyEntry(t *rapid.T) *feed.Entry {
	id := rapid.SliceOfN(rapid.Byte(), 32, 32)
	e := feed.Entry{
		Feed:   feed.FeedID(id.Draw(t, "feed")),
		Height: 1,
		TS:     rapid.Int64Range(0, 1<<53-1).Draw(t, "ts"),
		Body:   rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body"),
	}
	for _, parent := range rapid.SliceOfNDistinct(id, 0, 16, func(b []byte) string { return string(b) }).Draw(t, "parents") {
		e.Parents = append(e.Parents, feed.ID(parent))
	}
	if len(e.Parents) > 0 {
		e.Seq = rapid.Uint64Range(0, 1<<53-1).Draw(t, "seq")
		e.Height = rapid.Uint64Range(2, 1<<53-1).Draw(t, "height")
	}
	return sign(author(rapid.Byte().Draw(t, "author")), e)
}

func TestDecodeGivesWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEntry(t)
		raw := e.Encode()
		back, err := feed.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Encode(), raw) || back.ID() != e.ID() || !slices.Equal(back.Parents, e.Parents) ||
			back.Seq != e.Seq || back.Height != e.Height || back.TS != e.TS || !bytes.Equal(back.Body, e.Body) {
			t.Fatalf("%+v became %+v", e, back)
		}
		raw[len(raw)-65] ^= 1
		if !bytes.Equal(back.Body, e.Body) {
			t.Fatal("the entry shares memory with its encoding")
		}
	})
}

func TestDecodeRefusesEveryOtherForm(t *testing.T) {
	e := sign(author(1), feed.Entry{Feed: room, Height: 2, Parents: []feed.ID{{1}, {2}}, Body: []byte("body")})
	raw := e.Encode()
	cases := map[string][]byte{
		"nothing": nil, "a byte less": raw[:len(raw)-1], "a byte more": append(slices.Clone(raw), 0),
		"64 KiB": make([]byte, 64<<10),
	}
	for at := range len(raw) - 64 - len(e.Body) { // tag and every length before the body
		changed := slices.Clone(raw)
		changed[at] ^= 0x80
		if back, err := feed.Decode(changed); err == nil && back.ID() == e.ID() {
			t.Errorf("byte %d is not looked at", at)
		}
	}
	many := make([]feed.ID, 17)
	for i := range many {
		many[i][0] = byte(i)
	}
	for name, broken := range map[string]feed.Entry{
		"17 parents":              {Height: 2, Parents: many},
		"a parent twice":          {Height: 2, Parents: []feed.ID{{1}, {2}, {1}}},
		"a long body":             {Height: 1, Body: make([]byte, feed.MaxBody+1)},
		"seq without parents":     {Height: 1, Seq: 1},
		"height 0":                {},
		"height without parents":  {Height: 2},
		"parents without height":  {Height: 1, Parents: []feed.ID{{1}}},
		"a time before 1970":      {Height: 1, TS: -1},
		"a time beyond numbers":   {Height: 1, TS: 1 << 53},
		"a seq beyond numbers":    {Height: 2, Parents: []feed.ID{{1}}, Seq: 1 << 53},
		"a height beyond numbers": {Height: 1 << 53, Parents: []feed.ID{{1}}},
	} {
		cases[name] = sign(author(1), broken).Encode()
	}
	for name, raw := range cases {
		if back, err := feed.Decode(raw); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, back, err)
		}
	}
	largest := sign(author(1), feed.Entry{Height: 2, Parents: many[:16], Body: make([]byte, feed.MaxBody)}).Encode()
	if _, err := feed.Decode(largest); err != nil || len(largest) != feed.MaxEntry {
		t.Errorf("the largest entry: %d bytes, %v", len(largest), err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(sign(author(1), feed.Entry{Feed: room, Height: 1, Body: []byte("body")}).Encode())
	f.Add(sign(author(1), feed.Entry{Feed: room, Seq: 3, Height: 9, Parents: []feed.ID{{1}, {2}}}).Encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := feed.Decode(raw)
		if err == nil && !bytes.Equal(e.Encode(), raw) {
			t.Errorf("%x is encoded as %x", raw, e.Encode())
		}
	})
}

func TestIDsAsText(t *testing.T) {
	id := feed.ID{0xab, 1}
	if back, err := feed.ParseID(id.String()); err != nil || back != id {
		t.Errorf("%s is read as %s, %v", id, back, err)
	}
	for _, text := range []string{"", "ab", id.String() + "00", "x" + id.String()[1:]} {
		if _, err := feed.ParseID(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
