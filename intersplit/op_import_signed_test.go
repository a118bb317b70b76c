package intersplit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/identity"
)

// dataOf is a room as its JSON export.
func dataOf(t *testing.T, p *peer) string {
	t.Helper()
	var out ExportResult
	decodeResult(t, p.must("expense_export", `{"channel":"trip","format":"json"}`), &out)
	return out.Data
}

func importSigned(t *testing.T, p *peer, data string, dry bool) ImportResult {
	t.Helper()
	out := importInto(t, p, map[string]any{"format": "json", "data": data, "dry_run": dry})
	if out.Way != WaySigned || out.DryRun != dry {
		t.Fatalf("way %s, dry run %t", out.Way, out.DryRun)
	}
	return out
}

// encodedTag is how every signed entry begins.
var encodedTag = base64.StdEncoding.EncodeToString([]byte("\x00\x16intercom/feed/entry/v1"))[:30]

// lively gives two peers a room with everything that a room can have: conflicts,
// undos, names, leavings, units, rules with instances, a close and a clear.
func lively(t *testing.T, a, b *peer) {
	t.Helper()
	say := func(p *peer, calls ...[2]string) {
		for _, call := range calls {
			p.must(call[0], `{"channel":"trip",`+call[1]+`}`)
		}
	}
	meet := func() {
		a.setOnline(true)
		b.setOnline(true)
		until(t, "the two agree", func() bool { return a.export("trip") == b.export("trip") })
		a.setOnline(false)
		b.setOnline(false)
	}
	a.setOnline(false)
	b.setOnline(false)
	say(a, [2]string{"expense_add", `"payer":"old","amount":"5","split":"old,ann"`}, [2]string{"expense_clear", `"key":"c"`})
	busy(t, a)
	say(a, [2]string{"expense_unit", `"unit":"nights","decimals":1`},
		[2]string{"expense_add", `"payer":"ann","amount":"3","split":"ann,bo","currency":"nights"`},
		[2]string{"expense_repeat", `"payer":"ann","amount":"900","split":"ann,ben","currency":"EUR","every":"month","date":"2026-01-31","note":"rent"`},
		[2]string{"expense_due", `"until":"2026-03-30"`},
		[2]string{"expense_rename", `"member":"bo","to":"bob"`},
		[2]string{"expense_merge", `"member":"bob","to":"ben"`},
		[2]string{"expense_leave", `"member":"cleo"`})
	meet()
	say(a, [2]string{"expense_edit", `"id":"last","amount":"40"`}, [2]string{"expense_delete", `"id":"last"`})
	say(b, [2]string{"expense_edit", `"id":"last","amount":"50"`}, [2]string{"expense_add", `"payer":"dan","amount":"8","split":"dan,ann","currency":"EUR"`},
		[2]string{"expense_undo", `"key":"u"`}, [2]string{"expense_rename", `"member":"ann","to":"anna"`})
	meet()
	say(b, [2]string{"expense_close", `"key":"end of spring"`}, [2]string{"expense_add", `"payer":"anna","amount":"10","split":"anna,dan","currency":"EUR"`})
	meet()
}

// historyOf is everything that was said about everything.
func historyOf(t *testing.T, p *peer) string {
	t.Helper()
	var list ListResult
	decodeResult(t, p.must("expense_list", `{"channel":"trip","limit":1000,"include_deleted":true}`), &list)
	var all strings.Builder
	for _, e := range list.Entries {
		all.Write(p.must("expense_history", `{"channel":"trip","id":"`+e.ID+`"}`).Value)
	}
	return all.String()
}

// The export of a room, imported where nothing is, is the room: nothing is lost,
// nothing is added, and whoever made it comes back to the same one.
func TestASignedExportIsTheRoomItself(t *testing.T) {
	w := newWorld(t)
	a, b := w.join(1), w.join(2)
	lively(t, a, b)
	data, signed := dataOf(t, a), a.count(t)

	c := w.join(3)
	c.setOnline(false)
	dry := importSigned(t, c, data, true)
	if c.count(t) != 0 || dry.New != signed || dry.Known != 0 || dry.Changed != 0 || len(dry.Rows) != signed {
		t.Errorf("preview: %+v", counts(dry))
	}
	if got := importSigned(t, c, data, false); !slices.Equal(entriesOfRows(got), entriesOfRows(dry)) || counts(got) != counts(dry) {
		t.Errorf("%+v, foreseen was %+v", counts(got), counts(dry))
	}
	if c.export("trip") != a.export("trip") || historyOf(t, c) != historyOf(t, a) {
		t.Error("the room is another one")
	}
	if got := importSigned(t, c, data, false); counts(got) != [5]int{0, signed, 0, 0, 0} || len(got.Rows) > 0 {
		t.Errorf("twice: %+v", got)
	}
	// It goes on as the same room: an undo reaches back, a rule knows what it has booked.
	for _, p := range []*peer{a, c} {
		if got := p.must("expense_due", `{"channel":"trip","until":"2026-03-30","dry_run":true}`).Text; !strings.Contains(got, "would book 0") {
			t.Error(got)
		}
	}
	before := c.export("trip")
	for _, p := range []*peer{a, b, c} {
		p.setOnline(true)
	}
	c.must("expense_add", `{"channel":"trip","payer":"dan","amount":"1","split":"dan","currency":"EUR"}`)
	until(t, "the authors have the new entry", func() bool { return a.export("trip") == c.export("trip") && b.export("trip") == c.export("trip") })
	if a.count(t) != signed+1 || c.count(t) != signed+1 || a.export("trip") == before {
		t.Errorf("%d and %d entries since the authors came back", a.count(t), c.count(t))
	}
	// The store of the first author is lost: from its own export it goes on where it was.
	again := w.join(1)
	again.setOnline(false)
	importSigned(t, again, dataOf(t, c), false)
	again.must("expense_add", `{"channel":"trip","payer":"dan","amount":"1","split":"dan","currency":"EUR"}`)
	if forks, _, err := again.feeds.Forks(FeedOf("trip")); len(forks) > 0 || err != nil {
		t.Error(forks, err)
	}
}

func (p *peer) count(t *testing.T) int {
	t.Helper()
	n, err := p.feeds.Count(FeedOf("trip"))
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func entriesOfRows(r ImportResult) []string {
	var all []string
	for _, row := range r.Rows {
		all = append(all, fmt.Sprint(row.Row, row.Status, row.ID, row.Entry.ID))
	}
	return all
}

// A preview tells what an import changes in entries that are here.
func TestAPreviewTellsWhatNewEntriesChange(t *testing.T) {
	w := newWorld(t)
	a, b := w.join(1), w.join(2)
	b.setOnline(false)
	a.must("expense_add", expense("alice", "30"))
	a.must("expense_add", expense("bob", "8"))
	importSigned(t, b, dataOf(t, a), false)
	b.must("expense_add", expense("bob", "5"))
	a.must("expense_edit", `{"channel":"trip","id":"last","amount":"9"}`)
	data := dataOf(t, a)
	for _, dry := range []bool{true, false} {
		got := importSigned(t, b, data, dry)
		if counts(got) != [5]int{1, 2, 1, 0, 0} || len(got.Rows) != 2 || got.Rows[0].Entry.Kind != "edit" || got.Rows[1].Status != "changed" || got.Rows[1].Entry.Amount != "9.00" || got.Rows[1].Row != 2 {
			t.Errorf("dry run %t: %+v", dry, got)
		}
	}
	if b.total() != "44.00" {
		t.Error(b.total())
	}
}

func TestIntoAnotherChannelEachRowIsANewEntry(t *testing.T) {
	p := newWorld(t).join(1)
	busy(t, p)
	params := map[string]any{"format": "json", "data": dataOf(t, p), "channel": "other"}
	for i, want := range [][5]int{{7, 0, 0, 0, 0}, {0, 7, 0, 0, 0}} {
		raw, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		var out ImportResult
		decodeResult(t, p.must("expense_import", string(raw)), &out)
		if out.Way != WayRows || counts(out) != want {
			t.Errorf("%d: %+v", i, out)
		}
	}
	here, there := p.must("expense_balance", `{"channel":"trip"}`).Text, p.must("expense_balance", `{"channel":"other"}`).Text
	if strings.Replace(there, "other", "trip", 1) != here {
		t.Errorf("%s, %s", here, there)
	}
}

// Without the signed entries, as older exports are, each row is a new entry.
func TestAnExportWithoutSignedEntriesIsImportedByRows(t *testing.T) {
	w := newWorld(t)
	a, b := w.join(1), w.join(2)
	a.setOnline(false)
	b.setOnline(false)
	busy(t, a)
	data := bend(t, dataOf(t, a), func([]string) []string { return nil })
	if got := importInto(t, b, map[string]any{"format": "json", "data": data}); got.Way != WayRows || got.New != 7 {
		t.Errorf("%+v", got)
	}
}

// What has no right is kept and does not count, as in a sync; and it is said.
func TestSignedEntriesOfStrangersAreKeptAndDoNotCount(t *testing.T) {
	w := newWorld(t)
	owner, bob, late := w.join(1), w.join(2), w.join(3)
	bob.must("expense_add", expense("bob", "7")) // the channel was open then
	owner.must("expense_list", `{"channel":"trip"}`)
	until(t, "the owner has it", func() bool { return owner.count(t) == 1 })
	late.setOnline(false)
	for _, p := range []*peer{owner, bob, late} {
		p.setPolicy(Policy{Owner: owner.id.PublicKey()})
	}
	owner.must("expense_add", expense("alice", "30"))
	data := dataOf(t, owner)
	for _, dry := range []bool{true, false} {
		got := importSigned(t, late, data, dry)
		if counts(got) != [5]int{2, 0, 0, 0, 0} || got.Void != 1 || got.Rows[0].Entry.Reason != withoutRight {
			t.Errorf("dry run %t: %+v", dry, got)
		}
	}
	if late.total() != "30.00" || late.export("trip") != owner.export("trip") {
		t.Error(late.total())
	}
}

// A revocation among the new entries reaches back, in the preview too.
func TestAnImportedRevocationTakesBack(t *testing.T) {
	w := newWorld(t)
	alice, bob, late := w.join(1), w.join(2), w.join(3)
	start := time.Now()
	policy := Policy{InviteOnly: true, Inviters: []identity.PublicKey{alice.id.PublicKey()}}
	for _, p := range []*peer{alice, late} {
		p.setPolicy(policy)
	}
	own := policy
	own.Own = invite(alice, bob, start, start.Add(time.Hour))
	bob.setPolicy(own)
	bob.must("expense_add", expense("bob", "7"))
	alice.must("expense_add", expense("alice", "30"))
	until(t, "they agree", func() bool { return alice.total() == "37.00" && bob.total() == "37.00" })
	bob.setOnline(false)
	bob.must("expense_add", expense("bob", "5"))
	late.setOnline(false)
	importSigned(t, late, dataOf(t, bob), false)
	if late.total() != "42.00" {
		t.Fatal(late.total())
	}
	policy.Revoked = []identity.PublicKey{bob.id.PublicKey()}
	alice.setPolicy(policy)
	var data string
	until(t, "the revocation is recorded", func() bool {
		data = dataOf(t, alice)
		return strings.Count(data, encodedTag) == 4 // join, two expenses, revoke
	})
	for _, dry := range []bool{true, false} {
		if got := importSigned(t, late, data, dry); counts(got) != [5]int{1, 3, 1, 0, 0} || got.Rows[1].Entry.Reason != revokedRight {
			t.Errorf("dry run %t: %+v", dry, got)
		}
	}
	if late.total() != "37.00" {
		t.Error(late.total())
	}
}

// Members hear of many imported entries by their heads, in one message.
func TestImportedEntriesReachTheOthers(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join(1), w.join(2), w.join(3)
	a.setOnline(false)
	for i := range 60 {
		a.must("expense_add", expense("alice", fmt.Sprint(i+1)))
	}
	c.must("expense_list", `{"channel":"trip"}`)
	b.must("expense_list", `{"channel":"trip"}`)
	messages := 0
	listen := c.listen
	c.listen = func(m Message) {
		messages++
		listen(m)
	}
	if got := importSigned(t, b, dataOf(t, a), false); got.SentTo != 1 || messages != 1 {
		t.Errorf("%d messages, sent to %d", messages, got.SentTo)
	}
	until(t, "the other member has all", func() bool { return c.export("trip") == a.export("trip") })
}

var drawnCalls = [][2]string{
	{"expense_add", `"payer":"ann","amount":"30","split":"ann,ben"`},
	{"expense_add", `"payer":"ben","amount":"7.01","split":"ann,ben,cleo","currency":"EUR"`},
	{"expense_pay", `"from":"ben","to":"ann","amount":"1.50"`},
	{"expense_edit", `"id":"last","note":"a"`}, {"expense_edit", `"id":"last","note":"b"`}, {"expense_edit", `"id":"last","amount":"9"`},
	{"expense_delete", `"id":"last"`}, {"expense_undo", `"dry_run":false`}, {"expense_clear", `"dry_run":false`}, {"expense_close", `"dry_run":false`},
	{"expense_rename", `"member":"ann","to":"anna"`}, {"expense_rename", `"member":"ann","to":"zoe"`}, {"expense_merge", `"member":"cleo","to":"ben"`},
	{"expense_leave", `"member":"ben"`}, {"expense_unit", `"unit":"nights","decimals":1`},
	{"expense_repeat", `"payer":"ann","amount":"90","split":"ann,ben","every":"month","date":"2026-01-31","until":"2026-12-31"`},
	{"expense_due", `"until":"2026-04-30"`}, {"expense_settle", `"confirm":true`},
}

// Whatever two members did, apart and together: the export of an early moment and
// then of the end, or of the end alone, is the room of the end, byte for byte.
func TestAnyRoomSurvivesExportAndImport(t *testing.T) {
	w := newWorld(t)
	var peers []*peer
	for seed := range byte(4) {
		p := w.join(seed + 1)
		p.setOnline(false)
		peers = append(peers, p)
	}
	both, room := peers[:2], 0
	rapid.Check(t, func(rt *rapid.T) {
		room++ // each room is a channel of its own
		channel := fmt.Sprint("trip-", room)
		call := func(p *peer, name, params string, result any) error {
			reply, err := p.call(name, `{"channel":"`+channel+`",`+params+`}`)
			if err == nil && result != nil {
				err = json.Unmarshal(reply.Value, result)
			}
			return err
		}
		must := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		data := func(p *peer) string {
			var out ExportResult
			must(call(p, "expense_export", `"format":"json"`, &out))
			return out.Data
		}
		meet := func() {
			for i, p := range both {
				_, err := p.feeds.AddAll(t.Context(), both[1-i].signed(t, channel), both[1-i].id.PublicKey(), time.Now())
				must(err)
			}
		}
		for _, p := range both {
			must(call(p, drawnCalls[0][0], drawnCalls[0][1], nil))
		}
		early := data(both[0])
		for range rapid.IntRange(0, 15).Draw(rt, "steps") {
			p := both[rapid.IntRange(0, 1).Draw(rt, "who")]
			what := rapid.SampledFrom(drawnCalls).Draw(rt, "what")
			_ = call(p, what[0], what[1], nil) // or it is refused there
			switch rapid.IntRange(0, 5).Draw(rt, "then") {
			case 0:
				meet()
			case 1:
				early = data(p)
			}
		}
		meet()
		want := both[0].export(channel)
		if both[1].export(channel) != want {
			rt.Fatal("the two do not agree")
		}
		for i, all := range [][]string{{data(both[0])}, {early, data(both[1]), early}} {
			p := peers[2+i]
			for _, text := range all {
				var dry, got ImportResult
				raw, _ := json.Marshal(text)
				must(call(p, "expense_import", `"format":"json","dry_run":true,"data":`+string(raw), &dry))
				must(call(p, "expense_import", `"format":"json","data":`+string(raw), &got))
				if got.Way != WaySigned || counts(got) != counts(dry) || !slices.Equal(entriesOfRows(got), entriesOfRows(dry)) {
					rt.Fatalf("%v, foreseen was %v", counts(got), counts(dry))
				}
			}
			if got := p.export(channel); got != want {
				rt.Fatalf("got %s\nwant %s", got, want)
			}
		}
	})
}
