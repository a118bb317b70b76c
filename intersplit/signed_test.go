package intersplit

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// bend gives an export with another list of signed entries.
func bend(t *testing.T, data string, change func(signed []string) []string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(data), &members); err != nil {
		t.Fatal(err)
	}
	var signed []string
	for _, text := range members["signed"].([]any) {
		signed = append(signed, text.(string))
	}
	members["signed"] = change(signed)
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// bent gives a signed entry with one byte of it changed.
func bent(t *testing.T, text string, at int) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	raw[(at+len(raw))%len(raw)] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

func TestAWrongSignedEntryImportsNothing(t *testing.T) {
	w := newWorld(t)
	a, b := w.join(1), w.join(2)
	a.setOnline(false)
	b.setOnline(false)
	busy(t, a)
	a.must("expense_add", `{"channel":"other","payer":"ann","amount":"1","split":"ann"}`)
	var other ExportResult
	decodeResult(t, a.must("expense_export", `{"channel":"other","format":"json"}`), &other)
	data := dataOf(t, a)
	third := a.signed(t, "trip")[2]
	for name, c := range map[string]struct{ data, want string }{
		"signature": {bend(t, data, func(s []string) []string { s[2] = bent(t, s[2], -1); return s }), "signed entry 3 (" + third.ID().String() + "): an entry with a signature that is not"},
		"body":      {bend(t, data, func(s []string) []string { s[2] = bent(t, s[2], -70); return s }), "signed entry 3 ("},
		"feed":      {bend(t, data, func(s []string) []string { s[0] = bent(t, s[0], 30); return s }), `signed entry 1: it is of another room than channel "trip"`},
		"author":    {bend(t, data, func(s []string) []string { s[2] = bent(t, s[2], 70); return s }), "signed entry 3 ("},
		"missing":   {bend(t, data, func(s []string) []string { return slices.Delete(s, 2, 3) }), "signed entry 3 (" + a.signed(t, "trip")[3].ID().String() + "): an entry that it builds on is missing"},
		"last":      {bend(t, data, func(s []string) []string { return s[:6] }), "row 7: the entry " + `"` + a.signed(t, "trip")[6].ID().String() + `" is not among`},
		"none":      {bend(t, data, func([]string) []string { return []string{} }), "row 1: the entry"},
		"order":     {bend(t, data, func(s []string) []string { s[2], s[3] = s[3], s[2]; return s }), "signed entry 4 (" + third.ID().String() + "): it does not stand behind"},
		"twice":     {bend(t, data, func(s []string) []string { return slices.Insert(s, 2, s[2]) }), "signed entry 4 ("},
		"base64":    {bend(t, data, func(s []string) []string { s[2] = "!" + s[2]; return s }), "signed entry 3: it is no base64"},
		"length":    {bend(t, data, func(s []string) []string { s[2] = strings.Repeat("A", maxEncoded+4); return s }), "signed entry 3: "},
		"short":     {bend(t, data, func(s []string) []string { s[2] = "AAAA"; return s }), "signed entry 3: an entry with 3 bytes"},
		"channel":   {strings.Replace(other.Data, `"channel": "other"`, `"channel": "trip"`, 1), `signed entry 1: it is of another room than channel "trip"`},
		"number":    {strings.Replace(data, `"signed": [`, `"signed": [7,`, 1), "not the JSON of this format"},
		"no list":   {bend(t, data, func(s []string) []string { return s })[:300], "not the JSON of this format"},
	} {
		for _, dry := range []bool{true, false} {
			params, err := json.Marshal(map[string]any{"channel": "trip", "format": "json", "data": c.data, "dry_run": dry})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.call("expense_import", string(params))
			if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Hint == "" || !strings.Contains(f.Message, c.want) {
				t.Errorf("%s, dry run %t: %v", name, dry, err)
			}
		}
		if b.count(t) != 0 {
			t.Fatalf("%s: %d entries were stored", name, b.count(t))
		}
	}
}

// signed is the entries of a room as they lie in the feed.
func (p *peer) signed(t *testing.T, channel string) []*feed.Entry {
	t.Helper()
	var all []*feed.Entry
	if err := p.feeds.Scan(FeedOf(channel), feed.Position{}, func(e *feed.Entry) bool { all = append(all, e); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestARoomThatIsTooLargeIsNotImported(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	for range 40 {
		a.must("expense_add", expense("alice", "30"))
	}
	data := dataOf(t, a)
	w.roomBytes = 40_000
	b := w.join(2)
	b.setOnline(false)
	for _, dry := range []bool{true, false} {
		params, err := json.Marshal(map[string]any{"channel": "trip", "format": "json", "data": data, "dry_run": dry})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.call("expense_import", string(params))
		if fault.KindOf(err) != fault.Limited || !strings.Contains(err.Error(), "signed entry ") || b.count(t) != 0 {
			t.Errorf("%v, and %d entries", err, b.count(t))
		}
	}
	b.must("expense_add", expense("bob", "1"))
	if got := string(b.must("expense_balance", `{"channel":"trip"}`).Value); strings.Contains(got, "incomplete") {
		t.Error("a room that refused an import calls itself incomplete:", got)
	}
}

// An entry beyond its author's quota or dated ahead refuses the list.
func TestSignedEntriesKeepTheRoomsRules(t *testing.T) {
	w := newWorld(t)
	p := w.join(1)
	p.setOnline(false)
	rm := p.room("trip", true)
	author := identity.FromSeed([32]byte{7})
	for want, e := range map[string]*feed.Entry{
		"most that count":            {Feed: rm.id, Author: author.PublicKey(), Seq: maxSeq, TS: 1},
		"ahead of this peer's clock": {Feed: rm.id, Author: author.PublicKey(), Height: 1, TS: time.Now().Add(time.Hour).UnixMilli()},
	} {
		m := &merger{room: rm, entries: []*feed.Entry{e}, foreseen: &feed.Foreseen{Outcomes: []feed.Outcome{feed.Stored}}}
		if e.Seq == 0 {
			e.Sig = [64]byte(author.Sign(e.Preimage()))
			_, err := p.merger(t.Context(), rm, []string{base64.StdEncoding.EncodeToString(e.Encode())})
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), want) {
				t.Error(err)
			}
			continue
		}
		if err := p.fits(m); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	if p.count(t) != 0 {
		t.Error("an entry was stored")
	}
}
