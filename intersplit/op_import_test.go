package intersplit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importInto imports text and gives the counts.
func importInto(t *testing.T, p *peer, params map[string]any) ImportResult {
	t.Helper()
	params["channel"] = "trip"
	raw, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	var out ImportResult
	decodeResult(t, p.must("expense_import", string(raw)), &out)
	return out
}

func counts(r ImportResult) [5]int {
	return [5]int{r.New, r.Known, r.Changed, r.Gone, len(r.Skipped)}
}

// busy fills a room with entries of every kind.
func busy(t *testing.T, p *peer) {
	for _, call := range [][2]string{
		{"expense_add", `"payer":"ann","amount":"30","split":"ann,ben,cleo","currency":"EUR","note":"dinner, \"late\"","tags":["a","b,c"],"category":"food","date":"2026-01-02"`},
		{"expense_add", `"payers":"ann:20,ben:10","amount":"-30","split":"ann:2,ben:1","mode":"shares","currency":"EUR"`},
		{"expense_add", `"payer":"=1+1","amount":"1000","split":[{"member":"ann","value":"999"},"ben"],"mode":"exact","currency":"JPY","note":"-x"`},
		{"expense_add", `"payer":"ben","amount":"100","split":"ann,ben","currency":"USD","convert_to":"EUR","rate":"0.9234"`},
		{"expense_pay", `"from":"ben","to":"ann","amount":"1.50","currency":"EUR","note":"back"`},
		{"expense_settle", `"currency":"JPY","confirm":true`},
		{"expense_add", `"payer":"cleo","amount":"12","split":"ann:12.5,cleo:87.5","mode":"percent","currency":"EUR"`},
	} {
		p.must(call[0], `{"channel":"trip",`+call[1]+`}`)
	}
}

// saidIn is a room's entries but for what depends on who recorded them when.
func saidIn(t *testing.T, p *peer) string {
	t.Helper()
	var export struct{ Entries []Entry }
	if err := json.Unmarshal([]byte(exportOf(t, p, "json")), &export); err != nil {
		t.Fatal(err)
	}
	for i := range export.Entries {
		e := &export.Entries[i]
		e.ID, e.By, e.TS, e.Source = "", "", 0, ""
	}
	raw, err := json.Marshal(export.Entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Export then import is identity, twice is once: into the same room, another one,
// and back.
func TestExportThenImportIsIdentity(t *testing.T) {
	for _, form := range []string{"json", "csv-entries"} {
		t.Run(form, func(t *testing.T) {
			w := newWorld(t)
			a := w.join(1)
			busy(t, a)
			a.setOnline(false)
			data := func(p *peer) string {
				var out ExportResult
				decodeResult(t, p.must("expense_export", `{"channel":"trip","format":"`+form+`"}`), &out)
				return out.Data
			}
			before := saidIn(t, a)
			if got := importInto(t, a, map[string]any{"format": form, "data": data(a)}); counts(got) != [5]int{0, 7, 0, 0, 0} {
				t.Errorf("into the same room: %+v", got)
			}
			b := w.join(2)
			b.setOnline(false)
			if got := importInto(t, b, map[string]any{"format": form, "data": data(a), "dry_run": true}); counts(got) != [5]int{7, 0, 0, 0, 0} || len(got.Rows) != 7 || got.Rows[0].Entry.State != "" {
				t.Errorf("preview: %+v", got)
			}
			if saidIn(t, b) != "[]" {
				t.Error("a preview recorded something")
			}
			importInto(t, b, map[string]any{"format": form, "data": data(a)})
			if got := importInto(t, b, map[string]any{"format": form, "data": data(a)}); counts(got) != [5]int{0, 7, 0, 0, 0} {
				t.Errorf("twice: %+v", got)
			}
			if after := saidIn(t, b); after != before {
				t.Errorf("got  %s\nwant %s", after, before)
			}
			if got := importInto(t, a, map[string]any{"format": form, "data": data(b)}); counts(got) != [5]int{0, 7, 0, 0, 0} {
				t.Errorf("back: %+v", got)
			}
			if a, b := a.must("expense_balance", `{"channel":"trip"}`).Text, b.must("expense_balance", `{"channel":"trip"}`).Text; a != b {
				t.Errorf("balances %s and %s", a, b)
			}
			// Two peers who imported the same count it once when they meet.
			c := w.join(3)
			c.setOnline(false)
			importInto(t, c, map[string]any{"format": form, "data": data(a)})
			b.setOnline(true)
			c.setOnline(true)
			until(t, "the peers agree", func() bool { return saidIn(t, b) == before && b.export("trip") == c.export("trip") })
		})
	}
}

// A unit of the room comes along with its decimals.
func TestUnitsAreImported(t *testing.T) {
	for _, form := range []string{"json", "csv-entries"} {
		w := newWorld(t)
		a, b := w.join(1), w.join(2)
		a.setOnline(false)
		b.setOnline(false)
		a.must("expense_unit", `{"channel":"trip","unit":"nights","decimals":1}`)
		a.must("expense_add", `{"channel":"trip","payer":"ann","amount":"3","split":"ann,ben","currency":"nights"}`)
		var out ExportResult
		decodeResult(t, a.must("expense_export", `{"channel":"trip","format":"`+form+`"}`), &out)
		if got := importInto(t, b, map[string]any{"format": form, "data": out.Data}); got.New != map[string]int{"json": 2, "csv-entries": 1}[form] { // the unit is an entry itself
			t.Errorf("%s: %+v", form, got)
		}
		b.must("expense_add", `{"channel":"trip","payer":"ben","amount":"0.5","split":"ann,ben","currency":"nights"}`)
		if got := b.must("expense_balance", `{"channel":"trip"}`).Text; !strings.Contains(got, "total=3.5 nights") {
			t.Errorf("%s: %s", form, got)
		}
	}
}

const table = "id,payers,amount,split,note\n1,ann,30,\"ann,ben\",dinner\n2,ben,10,\"ann,ben\",taxi\n,ann,5,ben,\n,ann,5,ben,\n"

func TestChangedRowsAreToldAndEditedOnRequest(t *testing.T) {
	p := newWorld(t).join(1)
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "data": table}); counts(got) != [5]int{4, 0, 0, 0, 0} {
		t.Fatalf("%+v", got)
	}
	changed := strings.Replace(strings.Replace(table, "30", "40", 1), "taxi", "cab", 1)
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "data": changed}); counts(got) != [5]int{0, 2, 2, 0, 0} || got.Rows[0].Status != "changed" || got.Rows[0].Entry.Amount != "40.00" {
		t.Errorf("%+v", got)
	}
	if got := saidIn(t, p); strings.Contains(got, "cab") {
		t.Error("changed rows were taken over unasked")
	}
	importInto(t, p, map[string]any{"format": "csv-entries", "data": changed, "update": true})
	if got := saidIn(t, p); !strings.Contains(got, "cab") || !strings.Contains(got, `"amount":"40.00"`) {
		t.Error(got)
	}
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "data": changed, "update": true}); counts(got) != [5]int{0, 4, 0, 0, 0} {
		t.Errorf("%+v", got)
	}
	p.must("expense_delete", `{"channel":"trip","id":"last"}`)
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "data": changed}); counts(got) != [5]int{0, 3, 0, 1, 0} {
		t.Errorf("a deleted entry: %+v", got)
	}
	p.must("expense_rename", `{"channel":"trip","member":"ann","to":"anna"}`)
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "data": changed}); counts(got) != [5]int{0, 3, 0, 1, 0} {
		t.Errorf("after a rename: %+v", got)
	}
}

func TestAWrongRowImportsNothing(t *testing.T) {
	p := newWorld(t).join(1)
	for _, params := range []string{
		`{"channel":"trip","format":"csv-entries","data":"payers,amount,split\nann,30,ben\nann,x,ben\n"}`,
		`{"channel":"trip","format":"csv-entries"}`,
		`{"channel":"trip","format":"csv-entries","data":"x","path":"y"}`,
		`{"channel":"trip","format":"excel","data":"x"}`,
		`{"channel":"trip","format":"json","path":"/nowhere/at/all"}`,
		`{"channel":"trip","format":"json","path":"/"}`,
	} {
		if reply, err := p.call("expense_import", params); err == nil {
			t.Errorf("%s: %s", params, reply.Value)
		}
	}
	if got := saidIn(t, p); got != "[]" {
		t.Error(got)
	}
}

func TestAFileIsImportedAndNotTold(t *testing.T) {
	p := newWorld(t).join(1)
	file := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := importInto(t, p, map[string]any{"format": "csv-entries", "path": file}); got.New != 4 {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(file, []byte("secret words of somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"csv-entries", "json", "splitwise", "spliit"} {
		params, err := json.Marshal(map[string]any{"channel": "trip", "format": form, "path": file})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.call("expense_import", string(params)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// Many rows are announced as heads and fetched.
func TestAnImportOfManyRowsReachesTheOthers(t *testing.T) {
	w := newWorld(t)
	a, b := w.join(1), w.join(2)
	b.must("expense_list", `{"channel":"trip"}`)
	rows := "payers,amount,split\n" + strings.Repeat("ann,30,\"ann,ben\"\n", 2500)
	if got := importInto(t, a, map[string]any{"format": "csv-entries", "data": rows}); got.New != 2500 || len(got.Rows) != maxImportRows {
		t.Errorf("%+v", counts(got))
	}
	until(t, "the other peer has all", func() bool {
		return strings.HasPrefix(b.must("expense_balance", `{"channel":"trip"}`).Text, "[expense:trip] entries=2500 total=75000.00")
	})
}

func TestExportsForOtherPrograms(t *testing.T) {
	p := newWorld(t).join(1)
	busy(t, p)
	for form, want := range map[string][]string{
		"hledger":     {"decimal-mark .", "account members:ann", `members:ben  0.00 "EUR" = `},
		"beancount":   {`option "title" "InterSplit trip"`, "balance Equity:Members:Ann  ", "commodity JPY"},
		"markdown":    {"# trip", "| member | balance |"},
		"csv-entries": {"id,source,kind,date,recorded,payers", "'=1+1:1000"},
	} {
		text := exportOf(t, p, form)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", form, part, text)
			}
		}
		reply := p.must("expense_export", `{"channel":"trip","format":"`+form+`"}`)
		if bytes.Contains([]byte(reply.Text), []byte("==\n")) {
			t.Errorf("%s: base64 behind it", form)
		}
	}
}
