package intersplit

import (
	"fmt"
	"strings"
	"testing"

	"intercom/core/fault"
)

// texts runs calls and compares what a person reads.
func texts(t *testing.T, p *peer, calls [][3]string) {
	t.Helper()
	for _, c := range calls {
		if got := p.must(c[0], c[1]).Text; !strings.Contains(got, c[2]) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c[0], c[1], got, c[2])
		}
	}
}

// refused runs calls that must be refused with a kind and a hint, and change
// nothing.
func refused(t *testing.T, p *peer, channel string, kind fault.Kind, calls [][2]string) {
	t.Helper()
	before := p.export(channel)
	for _, c := range calls {
		_, err := p.call(c[0], c[1])
		if f := fault.Of(err); f == nil || f.Kind != kind || f.Hint == "" {
			t.Errorf("%s %.200s: %v", c[0], c[1], err)
		}
	}
	if p.export(channel) != before {
		t.Error("something changed")
	}
}

func (p *peer) write(name, params string) Written {
	p.world.t.Helper()
	var out Written
	decodeResult(p.world.t, p.must(name, params), &out)
	return out
}

func TestAPaymentSettlesAndIsNoSpending(t *testing.T) {
	p := newWorld(t).join(1)
	texts(t, p, [][3]string{
		{"expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`, "added"},
		{"expense_pay", `{"channel":"trip","from":"bob","to":"alice","amount":"5","note":"cash","key":"k","dry_run":true}`, "[expense:trip] would pay 5.00 from bob to alice"},
		{"expense_pay", `{"channel":"trip","payer":"Bob","payee":"alice","a":5,"memo":"cash","key":"k"}`, "[expense:trip] paid 5.00 from bob to alice"},
		{"expense_pay", `{"channel":"trip","from":"bob","to":"alice","amount":"5","note":"cash","key":"k"}`, "paid"},
		{"expense_balance", `{"channel":"trip"}`, "entries=2 total=30.00\n- balances:\n  alice: +10.00\n  bob: -10.00\n- settlements:\n  bob -> alice: 10.00"},
		{"expense_list", `{"channel":"trip"}`, "bob -> alice: 5.00 | note=cash"},
	})
	refused(t, p, "trip", fault.Conflict, [][2]string{
		{"expense_pay", `{"channel":"trip","from":"bob","to":"alice","amount":"6","key":"k"}`},
	})
	for _, bad := range []string{
		`"from":"bob","to":"bob","amount":"1"`, `"from":"bob","to":"BOB ","amount":"1"`, `"from":"bob","to":"alice","amount":"0"`,
		`"from":"bob","to":"alice","amount":"-1"`, `"from":"bob","to":"alice","amount":"-0"`, `"from":"bob","to":"alice","amount":"1e3"`,
		`"from":"bob","to":"alice","amount":1e3`, `"from":"bob","to":"alice","amount":"NaN"`, `"from":"bob","to":"alice","amount":"１２"`,
		`"from":"bob","to":"alice","amount":"1000000000000000000"`, `"from":" ","to":"alice","amount":"1"`, `"from":"bob","to":"","amount":"1"`,
		`"from":"bob","to":"alice","amount":"0.001"`, `"from":"bob","to":"alice","amount":"1","currency":"DEM"`,
		`"from":"bob","to":"alice","amount":"1","date":"2026-02-30"`, `"from":"bob","to":"alice","amount":"1","note":"a\nb"`,
		`"from":"bob","to":"a\u202elice","amount":"1"`, `"from":"bob","amount":"1"`, `"from":"bob","to":"alice"`,
		`"from":"bob","to":"alice","amount":"1","split":"a"`, `"from":"b,c","to":"alice","amount":"1"`,
	} {
		refused(t, p, "trip", fault.Invalid, [][2]string{{"expense_pay", `{"channel":"trip",` + bad + `}`}})
	}
}

func TestAnEditChangesWhatIsGivenAndNothingElse(t *testing.T) {
	p := newWorld(t).join(1)
	added := p.write("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","note":"dinner","tags":["x"]}`)
	edit := func(fields string) Written {
		return p.write("expense_edit", `{"channel":"trip","id":"`+added.Entry.ID+`",`+fields+`}`)
	}
	for _, c := range [][2]string{
		{`"amount":"40"`, "alice paid 40.00 | split=alice,bob | note=dinner"},
		{`"note":"supper"`, "alice paid 40.00 | split=alice,bob | note=supper"},
		{`"split":"alice:3,cleo:1","mode":"shares"`, "alice paid 40.00 | split=alice:3,cleo:1 shares | note=supper"},
		{`"mode":"equal"`, "alice paid 40.00 | split=alice,cleo | note=supper"},
		{`"currency":"JPY"`, ""}, // refused below
		{`"amount":"41.00","currency":"EUR"`, "alice paid 41.00 EUR | split=alice,cleo | note=supper"},
		{`"currency":"USD","convert_to":"EUR","rate":"0.5"`, "alice paid 41.00 USD = 20.50 EUR | split=alice,cleo | note=supper"},
		{`"convert_to":""`, "alice paid 41.00 USD | split=alice,cleo | note=supper"},
		{`"payers":"alice:40,bob:1"`, "alice:40.00,bob:1.00 paid 41.00 USD | split=alice,cleo | note=supper"},
		{`"payer":"bob","amount":-3,"note":""`, "bob paid -3.00 USD | split=alice,cleo | note=-"},
	} {
		if c[1] == "" {
			refused(t, p, "trip", fault.Invalid, [][2]string{{"expense_edit", `{"channel":"trip","id":"last",` + c[0] + `}`}})
			continue
		}
		out := edit(c[0])
		if out.Entry.ID != added.Entry.ID || out.Change == nil || out.Change.Kind != "edit" || spokenFact(out.Entry) != c[1] {
			t.Errorf("%s: %s, %+v", c[0], spokenFact(out.Entry), out.Change)
		}
	}
	if e := edit(`"tags":[]`); len(e.Entry.Tags) != 0 {
		t.Error(e.Entry.Tags)
	}
	dry := p.write("expense_edit", `{"channel":"trip","id":"last","amount":"7","dry_run":true}`)
	if dry.Entry.Amount != "7.00" || dry.Change.ID != "" || strings.Contains(p.export("trip"), "7.00") {
		t.Errorf("%+v", dry)
	}
	for _, bad := range []string{
		`"amount":"1e3"`, `"amount":"0"`, `"amount":"1000000000000000000"`, `"payer":""`, `"payer":"a","payers":"a:1"`, `"payers":"a:1"`, `"mode":"fair"`,
		`"mode":"percent"`, `"split":"a:1"`, `"rate":"0"`, `"rate":"-1","convert_to":"EUR"`, `"convert_to":"EUR"`, `"convert_to":"USD","rate":"1"`,
		`"date":"yesterday"`, `"note":"a\nb"`, `"tags":[" "]`, `"from":"a"`, `"category":"a\u202eb"`, `"key":"a"`, `"rate":"1e3","convert_to":"EUR"`,
	} {
		refused(t, p, "trip", fault.Invalid, [][2]string{{"expense_edit", `{"channel":"trip","id":"last",` + bad + `}`}})
	}
	refused(t, p, "trip", fault.NotFound, [][2]string{{"expense_edit", `{"channel":"trip","id":"0000000000","amount":"1"}`}})
	refused(t, p, "trip", fault.Limited, [][2]string{{"expense_edit", `{"channel":"trip","id":"last","split":"` + strings.Repeat("m,", 10_000) + `"}`}})
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_edit", `{"channel":"trip","id":"0000","amount":"1"}`}, {"expense_edit", `{"channel":"trip","id":"x","amount":"1"}`},
		{"expense_edit", `{"channel":"trip","id":"","amount":"1"}`}, {"expense_edit", `{"channel":"trip","amount":"1"}`},
		{"expense_edit", `{"channel":"trip","id":"last"}`},
	})
}

func TestWhatIsDeletedComesBack(t *testing.T) {
	p := newWorld(t).join(1)
	id := p.write("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`).Entry.ID
	with := `{"channel":"trip","id":"` + id + `"`
	if out := p.write("expense_delete", with+`,"dry_run":true}`); out.Entry.State != "deleted" || out.Entry.ID != id {
		t.Errorf("%+v", out)
	}
	refused(t, p, "trip", fault.Conflict, [][2]string{{"expense_undelete", with + "}"}})
	for range 2 { // the second is the same call again
		if out := p.write("expense_delete", with+`,"key":"d"}`); out.Entry.State != "deleted" {
			t.Errorf("%+v", out)
		}
	}
	texts(t, p, [][3]string{{"expense_balance", `{"channel":"trip"}`, "entries=0"}})
	refused(t, p, "trip", fault.Conflict, [][2]string{
		{"expense_edit", with + `,"amount":"1"}`}, {"expense_delete", with + "}"}, {"expense_undo", with + "}"},
	})
	if out := p.write("expense_undelete", with+"}"); out.Entry.State != "" || out.Entry.Amount != "30.00" {
		t.Errorf("%+v", out)
	}
	texts(t, p, [][3]string{
		{"expense_balance", `{"channel":"trip"}`, "entries=1 total=30.00"},
		{"expense_clear", `{"channel":"trip"}`, "cleared"},
		{"expense_undelete", with + "}", "restored alice paid 30.00"},
		{"expense_balance", `{"channel":"trip"}`, "entries=1 total=30.00"},
	})
}

func TestUndoGoesBackAndForth(t *testing.T) {
	w := newWorld(t)
	p := w.join(1)
	for i := range 3 {
		p.must("expense_add", fmt.Sprintf(`{"channel":"trip","payer":"alice","amount":"%d","split":"alice,bob"}`, i+1))
	}
	balance := func(want string) {
		t.Helper()
		texts(t, p, [][3]string{{"expense_balance", `{"channel":"trip"}`, want}})
	}
	first := p.write("expense_undo", `{"channel":"trip"}`)
	balance("entries=2 total=3.00")
	p.write("expense_undo", `{"channel":"trip"}`)
	balance("entries=1 total=1.00")
	again := p.write("expense_undo", `{"channel":"trip","id":"`+first.Change.ID+`"}`)
	balance("entries=2 total=4.00")
	p.write("expense_undo", `{"channel":"trip","id":"`+again.Change.ID+`"}`)
	balance("entries=1 total=1.00")
	refused(t, p, "trip", fault.Conflict, [][2]string{{"expense_undo", `{"channel":"trip","id":"` + first.Entry.ID + `"}`}})
	var cleared ClearResult
	decodeResult(t, p.must("expense_clear", `{"channel":"trip"}`), &cleared)
	balance("entries=0")
	if out := p.write("expense_undo", `{"channel":"trip"}`); out.Entry.Kind != "clear" || out.Entry.ID != cleared.ID || out.Entry.State != "undone" {
		t.Errorf("%+v", out)
	}
	balance("entries=1 total=1.00")
	p.write("expense_edit", `{"channel":"trip","id":"last","amount":"9"}`)
	if out := p.write("expense_undo", `{"channel":"trip","key":"u"}`); out.Entry.Amount != "1.00" || out.Entry.Kind != "expense" {
		t.Errorf("%+v", out)
	}
	p.write("expense_undo", `{"channel":"trip","key":"u"}`)
	balance("entries=1 total=1.00")
	p.setOnline(false) // or what p did would arrive in the middle of the refusal
	refused(t, w.join(2), "trip", fault.NotFound, [][2]string{{"expense_undo", `{"channel":"trip"}`}})
}

func TestMembersAreRenamedMergedAndLeave(t *testing.T) {
	p := newWorld(t).join(1)
	texts(t, p, [][3]string{
		{"expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob,bobby"}`, "added"},
		{"expense_rename", `{"channel":"trip","member":"Alice","to":"Alicia","dry_run":true}`, "[expense:trip] would rename alice -> alicia"},
		{"expense_rename", `{"channel":"trip","member":"Alice","to":"Alicia"}`, "[expense:trip] renamed alice -> alicia"},
		{"expense_list", `{"channel":"trip"}`, "alicia paid 30.00 | split=alicia,bob,bobby"},
		{"expense_add", `{"channel":"trip","payer":"alice","amount":"3","split":"bob"}`, "added 3.00 by alicia"},
		{"expense_merge", `{"channel":"trip","member":"bobby","to":"bob"}`, "[expense:trip] merged bobby -> bob"},
		{"expense_list", `{"channel":"trip"}`, "alicia paid 30.00 | split=alicia,bob | note"},
		{"expense_balance", `{"channel":"trip"}`, "  alicia: +23.00\n  bob: -23.00\n"},
		{"expense_undo", `{"channel":"trip"}`, "undid merge bobby -> bob"},
		{"expense_balance", `{"channel":"trip"}`, "  alicia: +23.00\n  bob: -13.00\n  bobby: -10.00\n"},
		{"expense_leave", `{"channel":"trip","member":"bobby"}`, "[expense:trip] bobby left"},
		{"expense_balance", `{"channel":"trip"}`, "  bobby: -10.00\n"},
		// A name that was given back, and one that somebody else has now.
		{"expense_rename", `{"channel":"trip","member":"alicia","to":"alice"}`, "renamed"},
		{"expense_rename", `{"channel":"trip","member":"alice","to":"x"}`, "renamed"},
		{"expense_rename", `{"channel":"trip","member":"bob","to":"alice"}`, "renamed"},
		{"expense_add", `{"channel":"trip","payer":"alice","amount":"100","split":"alice,x"}`, "added 100.00 by alice split=alice,x"},
		{"expense_balance", `{"channel":"trip"}`, "  alice: +37.00\n  bobby: -10.00\n  x: -27.00\n"},
	})
	refused(t, p, "trip", fault.Conflict, [][2]string{
		{"expense_rename", `{"channel":"trip","member":"x","to":"alice"}`}, {"expense_leave", `{"channel":"trip","member":"bobby"}`},
	})
	refused(t, p, "trip", fault.NotFound, [][2]string{
		{"expense_rename", `{"channel":"trip","member":"bob","to":"y"}`}, {"expense_merge", `{"channel":"trip","member":"x","to":"nobody"}`},
		{"expense_leave", `{"channel":"trip","member":"nobody"}`},
	})
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_rename", `{"channel":"trip","member":"x","to":" "}`}, {"expense_rename", `{"channel":"trip","member":"x","to":"X"}`},
		{"expense_rename", `{"channel":"trip","member":"x","to":"a,b"}`}, {"expense_rename", `{"channel":"trip","member":"","to":"y"}`},
		{"expense_merge", `{"channel":"trip","member":"x","to":"x"}`}, {"expense_rename", `{"channel":"trip","member":"x","to":"a\u200db"}`},
		{"expense_leave", `{"channel":"trip","member":""}`},
	})
}

func TestSettlingBooksThePlanAsOne(t *testing.T) {
	p := newWorld(t).join(1)
	for _, add := range []string{
		`"payer":"alice","amount":"30","split":"alice,bob,cleo"`, `"payer":"bob","amount":"9","split":"cleo","currency":"EUR"`,
	} {
		p.must("expense_add", `{"channel":"trip",`+add+`}`)
	}
	before := p.export("trip")
	texts(t, p, [][3]string{
		{"expense_settle", `{"channel":"trip"}`, "[expense:trip] would settle with 3 payments\n  bob -> alice: 10.00\n  cleo -> alice: 10.00\n  cleo -> bob: 9.00 EUR\n- call again with confirm"},
	})
	if p.export("trip") != before {
		t.Error("the preview changed something")
	}
	texts(t, p, [][3]string{
		{"expense_settle", `{"channel":"trip","confirm":true,"key":"s"}`, "[expense:trip] settled with 3 payments"},
		{"expense_settle", `{"channel":"trip","confirm":true,"key":"s"}`, "[expense:trip] settled with 3 payments"},
		{"expense_balance", `{"channel":"trip"}`, "- settlements: none"},
		{"expense_settle", `{"channel":"trip","confirm":true}`, "[expense:trip] everybody is even."},
		{"expense_settle", `{"channel":"trip","confirm":true,"key":"even"}`, "[expense:trip] everybody is even."},
		{"expense_undo", `{"channel":"trip"}`, "undid settled bob -> alice: 10.00"},
		{"expense_settle", `{"channel":"trip","currency":"eur","confirm":1}`, "settled with 1 payments\n  cleo -> bob: 9.00 EUR"},
		{"expense_balance", `{"channel":"trip"}`, "- settlements:\n  bob -> alice: 10.00\n  cleo -> alice: 10.00"},
	})
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_settle", `{"channel":"trip","currency":"DEM"}`}, {"expense_settle", `{"channel":"trip","confirm":"maybe"}`},
	})
}

func TestAPlanStaysWhileItIsPaid(t *testing.T) {
	p := newWorld(t).join(1)
	for _, add := range []string{
		`"payer":"a","amount":"10","split":"d"`, `"payer":"b","amount":"20","split":"e"`, `"payer":"c","amount":"30","split":"d"`,
		`"payer":"a","amount":"7","split":"e"`,
	} {
		p.must("expense_add", `{"channel":"trip",`+add+`}`)
	}
	var whole, left BalanceResult
	decodeResult(t, p.must("expense_balance", `{"channel":"trip"}`), &whole)
	for len(whole.Settlements) > 0 {
		pay := whole.Settlements[len(whole.Settlements)-1]
		p.must("expense_pay", fmt.Sprintf(`{"channel":"trip","from":%q,"to":%q,"amount":%q}`, pay.From, pay.To, pay.Amount))
		whole.Settlements = whole.Settlements[:len(whole.Settlements)-1]
		left = BalanceResult{}
		decodeResult(t, p.must("expense_balance", `{"channel":"trip"}`), &left)
		if fmt.Sprint(left.Settlements) != fmt.Sprint(whole.Settlements) || !left.Plan.Optimal {
			t.Fatalf("left %v, want %v", left.Settlements, whole.Settlements)
		}
	}
	texts(t, p, [][3]string{
		{"expense_add", `{"channel":"day","payer":"a","amount":"10","split":"b"}`, "added"},
		{"expense_add", `{"channel":"day","payer":"b","amount":"10","split":"c"}`, "added"},
		{"expense_balance", `{"channel":"day"}`, "- settlements:\n  c -> a: 10.00"},
		{"expense_balance", `{"channel":"day","mode":"direct"}`, "- settlements:\n  b -> a: 10.00\n  c -> b: 10.00"},
		{"expense_balance", `{"channel":"day","around":"E"}`, "c -> e: 10.00\n  e -> a: 10.00"},
	})
}

func TestUnitsAndConversions(t *testing.T) {
	p := newWorld(t).join(1)
	texts(t, p, [][3]string{
		{"expense_unit", `{"channel":"trip","unit":"Nights","decimals":1}`, "[expense:trip] declared unit nights with 1 decimals"},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"2.5","split":"a,b","currency":"nights"}`, "added 2.5 nights by a"},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b"}`, "added 1.0 nights"},
		{"expense_add", `{"channel":"trip","payers":"a:20,b:10.01","amount":"30.01","split":"a,b,c","currency":"USD","convert_to":"EUR","rate":"0.92"}`, "added 30.01 USD = 27.61 EUR"},
		{"expense_balance", `{"channel":"trip"}`, "total=27.61 EUR, 3.5 nights"},
	})
	var list ListResult
	decodeResult(t, p.must("expense_list", `{"channel":"trip"}`), &list)
	if c := list.Entries[2].Converted; c == nil || fmt.Sprint(c.Payers) != "[{a 18.40} {b 9.21}]" || fmt.Sprint(c.Shares) != "[{a 9.21} {b 9.20} {c 9.20}]" {
		t.Errorf("%+v", c)
	}
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b"}`}, // of which currency?
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1.25","split":"b","currency":"nights"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b","currency":"USD","convert_to":"EUR"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b","currency":"USD","convert_to":"USD","rate":"1"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b","currency":"USD","convert_to":"EUR","rate":"0"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"b","currency":"USD","convert_to":"EUR","rate":"1e3"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"0.01","split":"b","currency":"USD","convert_to":"EUR","rate":"0.1"}`},
		{"expense_add", `{"channel":"trip","payer":"a","amount":"100000000000000","split":"b","currency":"USD","convert_to":"EUR","rate":"2"}`},
		{"expense_unit", `{"channel":"trip","unit":"eur"}`}, {"expense_unit", `{"channel":"trip","unit":"x","decimals":0}`},
		{"expense_unit", `{"channel":"trip","unit":"beers","decimals":5}`}, {"expense_unit", `{"channel":"trip","unit":"beers","decimals":-1}`},
	})
	refused(t, p, "trip", fault.Conflict, [][2]string{{"expense_unit", `{"channel":"trip","unit":"nights"}`}})
}

// Two edit the same amount apart: both see the same, marked, until one picks.
func TestAConflictIsShownUntilSomebodyPicks(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip"}`)
	id := alice.write("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`).Entry.ID
	until(t, "bob has it", func() bool { return bob.export("trip") == alice.export("trip") })
	bob.setOnline(false)
	alice.must("expense_edit", `{"channel":"trip","id":"`+id+`","amount":"40"}`)
	bob.must("expense_edit", `{"channel":"trip","id":"`+id+`","amount":"50","note":"more"}`)
	bob.setOnline(true)
	until(t, "they agree", func() bool {
		return bob.export("trip") == alice.export("trip") && strings.Contains(alice.export("trip"), `"conflict"`)
	})
	if got := alice.must("expense_list", `{"channel":"trip"}`).Text; !strings.HasSuffix(got, "note=more | conflict") {
		t.Error(got)
	}
	if out := bob.write("expense_edit", `{"channel":"trip","id":"`+id+`","amount":"45"}`); out.Entry.Conflict != nil || out.Entry.Amount != "45.00" || out.Entry.Note != "more" {
		t.Errorf("%+v", out)
	}
}

// Two rename the same member apart: it shows wherever the member does, until one
// picks.
func TestRenamesApartAreShownUntilSomebodyPicks(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip"}`)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,cy"}`)
	until(t, "bob has it", func() bool { return bob.export("trip") == alice.export("trip") })
	bob.setOnline(false)
	alice.must("expense_rename", `{"channel":"trip","member":"cy","to":"cyrus"}`)
	bob.must("expense_merge", `{"channel":"trip","member":"cy","to":"alice"}`)
	bob.setOnline(true)
	seen := func(p *peer) (about []string) {
		for _, name := range []string{"expense_balance", "expense_list"} {
			about = append(about, p.must(name, `{"channel":"trip"}`).Text)
		}
		var rooms RoomsResult
		decodeResult(t, p.must("expense_rooms", `{}`), &rooms)
		for _, kind := range []string{"rename", "merge"} {
			about = append(about, p.must("expense_list", `{"channel":"trip","kind":"`+kind+`"}`).Text)
		}
		about = append(about, fmt.Sprint(rooms.Rooms[0].Conflict))
		return about
	}
	until(t, "both see the conflict", func() bool {
		a, b := seen(alice), seen(bob)
		return strings.Join(a, "") == strings.Join(b, "") && strings.Contains(a[0], "- conflict: cy was renamed to ")
	})
	for _, text := range seen(alice)[1:4] {
		if !strings.Contains(text, "- conflict: cy was renamed to ") {
			t.Error(text)
		}
	}
	if all := seen(alice); !strings.Contains(all[2]+all[3], "| conflict\n") || !strings.Contains(all[4], "{name ") {
		t.Error(all)
	}
	var balance BalanceResult
	decodeResult(t, alice.must("expense_balance", `{"channel":"trip"}`), &balance)
	now := balance.Conflict[0].Names[0]
	bob.must("expense_rename", `{"channel":"trip","member":"`+now+`","to":"`+now+`"}`)
	until(t, "nobody sees it any more", func() bool {
		return !strings.Contains(strings.Join(seen(alice), ""), "conflict") && !strings.Contains(strings.Join(seen(bob), ""), "conflict")
	})
	refused(t, bob, "trip", fault.Invalid, [][2]string{{"expense_rename", `{"channel":"trip","member":"` + now + `","to":"` + now + `"}`}})
}

func TestARuleIsBookedOnceWhoeverBooksIt(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"flat"}`)
	texts(t, alice, [][3]string{
		{"expense_repeat", `{"channel":"flat","payer":"alice","amount":"900","split":"alice,bob","note":"rent","every":"month","date":"2026-01-31","until":"2026-04-30","key":"r"}`,
			"[expense:flat] repeats: alice pays 900.00 every month from 2026-01-31 | split=alice,bob | note=rent"},
		{"expense_balance", `{"channel":"flat"}`, "entries=0"},
		{"expense_due", `{"channel":"flat","until":"2026-03-30","dry_run":true}`, "[expense:flat] would book 2 expenses\n- 2026-01-31 | alice paid 900.00 | split=alice,bob | note=rent\n- 2026-02-28 |"},
	})
	until(t, "bob has the rule", func() bool { return bob.export("flat") == alice.export("flat") })
	bob.setOnline(false)
	texts(t, alice, [][3]string{{"expense_due", `{"channel":"flat","until":"2026-03-30"}`, "booked 2"}})
	texts(t, bob, [][3]string{
		{"expense_due", `{"channel":"flat"}`, "booked 4 expenses"},
		{"expense_due", `{"channel":"flat"}`, "booked 0"},
	})
	bob.setOnline(true)
	until(t, "they agree", func() bool { return bob.export("flat") == alice.export("flat") })
	texts(t, alice, [][3]string{
		{"expense_balance", `{"channel":"flat"}`, "entries=4 total=3600.00"},
		{"expense_due", `{"channel":"flat"}`, "booked 0"},
		{"expense_delete", `{"channel":"flat","id":"last"}`, "deleted"},
		{"expense_due", `{"channel":"flat"}`, "booked 0"},
	})
	for _, bad := range []string{
		`"every":"fortnight"`, `"every":"month","interval":-1`, `"every":"month","interval":1000`, `"every":"month","date":"x"`,
		`"every":"month","date":"2026-02-01","until":"2026-01-01"`, `"every":"day","date":"0001-01-01"`, `"interval":1`,
	} {
		refused(t, alice, "flat", fault.Invalid, [][2]string{{"expense_repeat", `{"channel":"flat","payer":"a","split":"a",` + bad + `,"amount":"1"}`}})
	}
	refused(t, alice, "flat", fault.Invalid, [][2]string{{"expense_due", `{"channel":"flat","until":"soon"}`}})
}

func TestAClosedPeriodCountsInBalancesOnly(t *testing.T) {
	p := newWorld(t).join(1)
	id := p.write("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`).Entry.ID
	p.must("expense_pay", `{"channel":"trip","from":"bob","to":"alice","amount":"5"}`)
	want := `{"channel":"trip","closed":2,"totals":[{"currency":"","amount":"30.00"}],"balances":[{"member":"alice","currency":"","amount":"10.00"},{"member":"bob","currency":"","amount":"-10.00"}],"sent_to":0`
	if got := string(p.must("expense_close", `{"channel":"trip","dry_run":true}`).Value); got != want+`,"dry_run":true}` {
		t.Error(got)
	}
	for range 2 {
		if got := string(p.must("expense_close", `{"channel":"trip","key":"c"}`).Value); !strings.HasPrefix(got, want+`,"id":"`) {
			t.Error(got)
		}
	}
	texts(t, p, [][3]string{
		{"expense_balance", `{"channel":"trip"}`, "entries=0 total=0.00\n- balances:\n  alice: +10.00"},
		{"expense_list", `{"channel":"trip"}`, "no expenses yet"},
		{"expense_list", `{"channel":"trip","include_closed":true}`, "alice paid 30.00 | split=alice,bob | note=- | closed"},
		{"expense_close", `{"channel":"trip"}`, "closed 0 entries"},
		{"expense_add", `{"channel":"trip","payer":"bob","amount":"4","split":"alice,bob"}`, "added"},
		{"expense_balance", `{"channel":"trip"}`, "entries=1 total=4.00\n- balances:\n  alice: +8.00"},
	})
	refused(t, p, "trip", fault.Conflict, [][2]string{
		{"expense_edit", `{"channel":"trip","id":"` + id + `","amount":"1"}`}, {"expense_delete", `{"channel":"trip","id":"` + id + `"}`},
		{"expense_undo", `{"channel":"trip","id":"` + id + `"}`},
	})
	p.must("expense_undo", `{"channel":"trip"}`)
	texts(t, p, [][3]string{
		{"expense_undo", `{"channel":"trip"}`, "undid close"},
		{"expense_balance", `{"channel":"trip"}`, "entries=2 total=30.00\n- balances:\n  alice: +10.00"},
	})
}
