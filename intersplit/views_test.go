package intersplit

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// a trip with a bit of everything
func trip(t *testing.T) *peer {
	p := newWorld(t).join(1)
	for _, call := range [][2]string{
		{"expense_add", `"payer":"ann","amount":"90","split":"ann,ben,cleo","note":"Dinner & wine","category":"Food","tags":["Fun"],"date":"2026-05-17","currency":"EUR"`},
		{"expense_add", `"payer":"ben","amount":"30","split":"cleo","note":"taxi","category":"travel","date":"2026-06-01","currency":"EUR"`},
		{"expense_add", `"payer":"cleo","amount":"1000","split":"ann,ben","note":"ramen","currency":"JPY","convert_to":"EUR","rate":"0.006","date":"2026-06-02"`},
		{"expense_pay", `"from":"cleo","to":"ann","amount":"10","note":"cash","currency":"EUR","date":"2026-06-03"`},
		{"expense_add", `"payer":"ann","amount":"5","split":"ann","note":"mistake","currency":"EUR","date":"2026-06-04"`},
		{"expense_delete", `"id":"last"`},
	} {
		p.must(call[0], `{"channel":"trip",`+call[1]+`}`)
	}
	return p
}

func TestTheListIsFiltered(t *testing.T) {
	p := trip(t)
	for filter, want := range map[string]string{
		``:                              "Dinner & wine,taxi,ramen,cash",
		`"text":"DINNER"`:               "Dinner & wine",
		`"text":"fun"`:                  "Dinner & wine",
		`"query":"nothing"`:             "",
		`"member":"Cleo"`:               "Dinner & wine,taxi,ramen,cash",
		`"member":"ben"`:                "Dinner & wine,taxi,ramen",
		`"member":"nobody"`:             "",
		`"category":"food"`:             "Dinner & wine",
		`"tag":"fun"`:                   "Dinner & wine",
		`"date":"2026-06"`:              "taxi,ramen,cash",
		`"date":"2026"`:                 "Dinner & wine,taxi,ramen,cash",
		`"date":"2026-06-02"`:           "ramen",
		`"date":"2026-05..2026-06-01"`:  "Dinner & wine,taxi",
		`"date":"2026-06-02.."`:         "ramen,cash",
		`"date":"..2026-05"`:            "Dinner & wine",
		`"date":"2026-06-02..2026-06"`:  "ramen,cash",
		`"amount":"30"`:                 "taxi",
		`"amount":30`:                   "taxi",
		`"amount":"30..90"`:             "Dinner & wine,taxi",
		`"amount":"..10.00"`:            "cash",
		`"amount":"100000000000000.."`:  "",
		`"kind":"payment"`:              "cash",
		`"kind":"rule"`:                 "",
		`"currency":"jpy"`:              "ramen",
		`"currency":"EUR"`:              "Dinner & wine,taxi,ramen,cash",
		`"include_deleted":true`:        "Dinner & wine,taxi,ramen,cash,mistake deleted",
		`"kind":"delete"`:               " ",
		`"limit":1,"include_deleted":1`: "Dinner & wine",
		`"member":"ann","date":"2026-06","include_deleted":true`: "ramen,cash,mistake deleted",
	} {
		var list ListResult
		decodeResult(t, p.must("expense_list", `{"channel":"trip"`+strings.TrimSuffix(","+filter, ",")+`}`), &list)
		var got []string
		for _, e := range list.Entries {
			if e.Kind == "delete" {
				got = append(got, " ")
				continue
			}
			got = append(got, strings.TrimSpace(e.Note+" "+e.State))
		}
		if strings.Join(got, ",") != want || list.Count != 4 {
			t.Errorf("%s: %q (%d), want %q", filter, got, list.Count, want)
		}
	}
	for _, bad := range []string{
		`"date":"june"`, `"date":"2026-6"`, `"date":"2026-06-01..2026-07..x"`, `"amount":"1e3"`, `"amount":"NaN"`, `"amount":"1,5"`,
		`"amount":"1000000000000000000"`, `"kind":"loan"`, `"currency":"DEM"`, `"member":"a,b"`, `"member":"a\u202eb"`, `"limit":0`, `"limit":1001`,
		`"cursor":"x"`, `"include_deleted":"maybe"`, `"date":"2026-02-30"`, `"date":"2026-13"`, `"date":"2026-06..2026-05-31"`, `"date":".."`,
		`"date":"２０２６"`, `"amount":"5..1"`,
	} {
		refused(t, p, "trip", fault.Invalid, [][2]string{{"expense_list", `{"channel":"trip",` + bad + `}`}})
	}
}

func TestABalanceIsExplained(t *testing.T) {
	p := trip(t)
	const want = `[expense:trip] cleo
- balance: -44.00 EUR
  <time> | -30.00 | Dinner & wine
  <time> | -30.00 | taxi
  <time> | +6.00 | ramen
  <time> | +10.00 | cash
- settled among ann, ben, cleo:
  ben -> ann: 3.00 EUR
  cleo -> ann: 44.00 EUR`
	if got := fixed(p.must("expense_explain", `{"channel":"trip","member":"Cleo"}`).Text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	refused(t, p, "trip", fault.NotFound, [][2]string{{"expense_explain", `{"channel":"trip","member":"zoe"}`}})
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_explain", `{"channel":"trip","member":" "}`}, {"expense_explain", `{"channel":"trip"}`},
		{"expense_explain", `{"channel":"trip","member":"ann","currency":"x"}`},
	})
}

func TestSpendingIsSummedUp(t *testing.T) {
	p := trip(t)
	const want = `[expense:trip] spent
- in all:
  EUR: 126.00 EUR (3)
- by category:
  -: 6.00 EUR (1)
  Food: 90.00 EUR (1)
  travel: 30.00 EUR (1)
- by month:
  2026-05: 90.00 EUR (1)
  2026-06: 36.00 EUR (2)
- by member:
  ann: paid 90.00 EUR, bore 33.00, sent 0.00, received 10.00
  ben: paid 30.00 EUR, bore 33.00, sent 0.00, received 0.00
  cleo: paid 6.00 EUR, bore 60.00, sent 10.00, received 0.00`
	if got := p.must("expense_stats", `{"channel":"trip"}`).Text; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	texts(t, p, [][3]string{
		{"expense_stats", `{"channel":"trip","date":"2026-05"}`, "EUR: 90.00 EUR (1)"},
		{"expense_rooms", `{}`, "[expense:trip] entries=4 total=126.00 EUR members=ann,ben,cleo"},
		{"expense_leave", `{"channel":"trip","member":"ben"}`, "left"},
		{"expense_rooms", `{}`, "members=ann,cleo"},
	})
	refused(t, p, "trip", fault.Invalid, [][2]string{
		{"expense_stats", `{"channel":"trip","date":"soon"}`}, {"expense_stats", `{"channel":"trip","currency":"x"}`}, {"expense_rooms", `{"x":1}`},
	})
}

// A history holds the signed entries themselves.
func TestTheHistoryIsSignedAndWhole(t *testing.T) {
	p := newWorld(t).join(1)
	id := p.write("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`).Entry.ID
	with := `{"channel":"trip","id":"` + id + `"`
	p.must("expense_edit", with+`,"amount":"40"}`)
	undo := p.write("expense_undo", `{"channel":"trip"}`)
	p.must("expense_delete", with+`}`)
	for _, asked := range []string{id, undo.Change.ID} {
		var out HistoryResult
		decodeResult(t, p.must("expense_history", `{"channel":"trip","id":"`+asked+`"}`), &out)
		got := ""
		for _, item := range out.History {
			got += fmt.Sprintf("%s %s %s %d, ", item.Said.Kind, item.Said.Amount, item.Said.State, len(item.UndoneBy))
			raw, err := base64.StdEncoding.DecodeString(item.Signed)
			if err != nil {
				t.Fatal(err)
			}
			e, err := feed.Decode(raw)
			if err != nil || e.ID().String() != item.Said.ID || !identity.Verify(e.Author, e.Preimage(), e.Sig[:]) {
				t.Error(item.Said.ID, err)
			}
		}
		if want := "expense 30.00 deleted 0, edit 40.00 undone 1, undo   0, delete   0, "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if out.Entry.ID != id || out.Entry.State != "deleted" {
			t.Errorf("%+v", out.Entry)
		}
	}
	refused(t, p, "trip", fault.NotFound, [][2]string{{"expense_history", `{"channel":"trip","id":"00000000"}`}})
	refused(t, p, "trip", fault.Invalid, [][2]string{{"expense_history", `{"channel":"trip","id":"000"}`}, {"expense_history", `{"channel":"trip"}`}})
}
