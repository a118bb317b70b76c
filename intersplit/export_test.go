package intersplit

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fixed gives every time in a text the same digits.
func fixed(text string) string {
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`).ReplaceAllString(text, "<time>")
}

func exportOf(t *testing.T, p *peer, format string) string {
	t.Helper()
	var out ExportResult
	decodeResult(t, p.must("expense_export", `{"channel":"trip","format":"`+format+`"}`), &out)
	return fixed(out.Data)
}

func TestExportsHaveUpstreamsForms(t *testing.T) {
	p := newWorld(t).join(1)
	by := p.id.PublicKey().Address()
	if got, want := exportOf(t, p, "text"), `InterSplit Settlement Export
generated_at: <time>
channel: trip
events: 0
total: 0.00
balances:
- none
settlements:
- none
entries:
- none
`; got != want {
		t.Errorf("empty:\n%s", got)
	}
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","note":"dinner"}`)
	if got, want := exportOf(t, p, "text"), `InterSplit Settlement Export
generated_at: <time>
channel: trip
events: 1
total: 30.00
balances:
- alice: +15.00
- bob: -15.00
settlements:
- bob -> alice: 15.00
entries:
- <time> | alice paid 30.00 | split=alice,bob | note=dinner
`; got != want {
		t.Errorf("text:\n%s", got)
	}
	if got, want := exportOf(t, p, "csv"), "from,to,amount\nbob,alice,15.00\n"; got != want {
		t.Errorf("csv: %q", got)
	}
	var export map[string]json.RawMessage
	if err := json.Unmarshal([]byte(exportOf(t, p, "json")), &export); err != nil {
		t.Fatal(err)
	}
	var entries []Entry
	if err := json.Unmarshal(export["entries"], &entries); err != nil || len(entries) != 1 || entries[0].By != by {
		t.Errorf("entries: %s", export["entries"])
	}
	for member, want := range map[string]string{
		"app": `"intersplit"`, "version": "1", "generatedAt": `"<time>"`, "channel": `"trip"`, "eventCount": "1",
		"total": `"30.00"`, "currency": `""`,
		"balances":    `[{"member":"alice","cents":1500,"amount":"15.00","currency":"","direction":"receives"},{"member":"bob","cents":-1500,"amount":"-15.00","currency":"","direction":"owes"}]`,
		"settlements": `[{"from":"bob","to":"alice","cents":1500,"amount":"15.00","currency":""}]`,
	} {
		if got := compact(t, export[member]); got != want {
			t.Errorf("%s: got %s, want %s", member, got, want)
		}
	}
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSeveralCurrenciesAreNeverNetted(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","currency":"usd"}`)
	p.must("expense_add", `{"channel":"trip","payer":"bob","amount":"3000","split":"alice,bob","currency":"JPY"}`)
	const want = `[expense:trip] entries=2 total=3000 JPY, 30.00 USD
- balances:
  alice: -1500 JPY
  bob: +1500 JPY
  alice: +15.00 USD
  bob: -15.00 USD
- settlements:
  alice -> bob: 1500 JPY
  bob -> alice: 15.00 USD`
	if got := p.must("expense_balance", `{"channel":"trip"}`).Text; got != want {
		t.Errorf("got\n%s", got)
	}
	if got := p.must("expense_balance", `{"channel":"trip","currency":"usd"}`).Text; !strings.HasPrefix(got, "[expense:trip] entries=1 total=30.00 USD\n") {
		t.Errorf("got\n%s", got)
	}
	if got := exportOf(t, p, "json"); !strings.Contains(got, `"totals"`) || strings.Contains(got, `"total"`) {
		t.Errorf("got\n%s", got)
	}
	if got, want := exportOf(t, p, "csv"), "from,to,amount,currency\nalice,bob,1500,JPY\nbob,alice,15.00,USD\n"; got != want {
		t.Errorf("got %q", got)
	}
}

// Names that a spreadsheet would run, and names that need quoting.
func TestCellsAreHarmless(t *testing.T) {
	p := newWorld(t).join(1)
	for _, name := range []string{`=cmd|' /c calc'!a0`, "+1", "-1", "@sum", `a "quoted" one`, "＝1"} {
		params, err := json.Marshal(map[string]any{"channel": "trip", "payer": "ann", "amount": "2", "split": []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		p.must("expense_add", string(params))
	}
	rows, err := csv.NewReader(strings.NewReader(exportOf(t, p, "csv"))).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatal(rows, err)
	}
	for _, row := range rows[1:] {
		if strings.IndexAny(row[0], "=+-@＝") == 0 {
			t.Errorf("%q is run as a formula", row[0])
		}
	}
}

func TestEveryModeIsShownAsItWasSaid(t *testing.T) {
	p := newWorld(t).join(1)
	for params, want := range map[string]string{
		`"payer":"ann","amount":"-30","split":"ann,ben"`:                                                   "would add -30.00 by ann split=ann,ben",
		`"payer":"ann","amount":"30","split":"ann:2,ben:1","mode":"shares"`:                                "would add 30.00 by ann split=ann:2,ben:1 shares",
		`"payer":"ann","amount":"30","split":"ann:12.5,ben:87.50","mode":"percent"`:                        "would add 30.00 by ann split=ann:12.5,ben:87.5 percent",
		`"payer":"ann","amount":"30","split":[{"member":"ann","value":10},"ben"],"mode":"exact"`:           "would add 30.00 by ann split=ann:10.00,ben exact",
		`"payers":[{"member":"Ann","amount":20},{"member":"ben","amount":"10"}],"amount":30,"split":"ann"`: "would add 30.00 by ann:20.00,ben:10.00 split=ann",
		`"payers":"ann:20,ben:10","amount":"-30","split":"ann"`:                                            "would add -30.00 by ann:-20.00,ben:-10.00 split=ann",
	} {
		if got := p.must("expense_add", `{"channel":"trip","dry_run":"1",`+params+`}`).Text; got != "[expense:trip] "+want {
			t.Errorf("%s: %s", params, got)
		}
	}
}

func TestATerminalExportCarriesItsBase64(t *testing.T) {
	p := newWorld(t).join(1)
	text := p.must("expense_export", `{"channel":"trip"}`).Text
	data, encoded, _ := strings.Cut(text, "- none\nsettlements:\n- none\nentries:\n- none\n")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.HasPrefix(string(raw), data) {
		t.Errorf("%q, %v", text, err)
	}
}

// What another version writes is kept and shown, and counts nowhere.
func TestUnsupportedEntriesAreShown(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	if _, err := p.feeds.Append(t.Context(), FeedOf("trip"), p.id, []byte(`{"kind":"loan","v":1}`), time.Now()); err != nil {
		t.Fatal(err)
	}
	want := "- <time> | unsupported entry | by " + p.id.PublicKey().Address() + " | of an unknown kind"
	if got := fixed(p.must("expense_list", `{"channel":"trip"}`).Text); !strings.HasPrefix(got, "[expense:trip] entries=1\n") || !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	var cleared ClearResult
	decodeResult(t, p.must("expense_clear", `{"channel":"trip"}`), &cleared)
	if got := p.must("expense_list", `{"channel":"trip"}`).Text; cleared.Cleared != 1 || strings.Contains(got, "unsupported") {
		t.Error(cleared, got)
	}
}
