package format

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// context is a room that knows the units of the drawings.
var context = Context{Currency: money.ParseCurrency}

// The programs' own checkers accept what is written: transactions balance, and
// every member's balance is what the ledger says.
func TestProgramsAcceptTheirFormats(t *testing.T) {
	for _, program := range []string{"hledger", "bean-check"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: make tools installs it (apt-get install hledger beancount)", program)
		}
	}
	for seed := range 4 {
		b := rapid.Custom(func(t *rapid.T) *Book { return drawBook(t, 120) }).Example(seed)
		journal, beans := filepath.Join(t.TempDir(), "a.journal"), filepath.Join(t.TempDir(), "a.beancount")
		run(t, journal, Hledger(b), "hledger", "-f", journal, "check", "--strict", "ordereddates")
		run(t, beans, Beancount(b), "bean-check", beans)
	}
}

func run(t *testing.T, file, text, program string, args ...string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%.4000s", program, err, out)
	}
}

// A wrong balance is found: the assertions are there.
func TestProgramsHoldTheBalances(t *testing.T) {
	b := rapid.Custom(func(t *rapid.T) *Book { return drawBook(t, 8) }).
		Filter(func(b *Book) bool { return len(b.Balances) > 2 }).Example(1)
	for _, at := range []int{0, len(b.Balances) - 1} {
		right := b.Balances[at].Amount
		b.Balances[at].Amount = right.Plus(money.SumOf(1))
		journal, beans := filepath.Join(t.TempDir(), "a.journal"), filepath.Join(t.TempDir(), "a.beancount")
		for file, text := range map[string]string{journal: Hledger(b), beans: Beancount(b)} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if exec.Command("hledger", "-f", journal, "check").Run() == nil || exec.Command("bean-check", beans).Run() == nil {
			t.Errorf("a wrong balance of %s was accepted", b.Balances[at].Member)
		}
		b.Balances[at].Amount = right
	}
}

// Reading the table of entries gives the same entries, and their ids as import
// ids.
func TestTheTableReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBook(t, 10)
		text, err := CSVEntries(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadCSVEntries([]byte(text), context)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(got.Rows) != len(b.Entries) || len(got.Skipped) > 0 {
			t.Fatalf("%d rows of %d entries\n%s", len(got.Rows), len(b.Entries), text)
		}
		for i, row := range got.Rows {
			want := b.Entries[i].Body
			setSource(&want, ledger.SourceOf(b.Entries[i].ID))
			sameBody(t, row.Body, want)
			if row.Source != row.Body.Source() {
				t.Fatalf("%q and %q", row.Source, row.Body.Source())
			}
		}
	})
}

func setSource(b *ledger.Body, source string) {
	switch {
	case b.Expense != nil:
		x := *b.Expense
		x.Source = source
		b.Expense = &x
	case b.Payment != nil:
		p := *b.Payment
		p.Source = source
		b.Payment = &p
	case b.Settlement != nil:
		s := *b.Settlement
		s.Source = source
		b.Settlement = &s
	}
}

func sameBody(t *rapid.T, got, want ledger.Body) {
	a, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w, err := want.Encode()
	if err != nil || !bytes.Equal(a, w) {
		t.Fatalf("got  %s\nwant %s (%v)", a, w, err)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, err := CSVEntries(drawBook(t, 6))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for i, cell := range row {
				number := columns[i] == "amount" // a negative one is a number
				if !number && strings.IndexAny(cell, formulaSigns) == 0 {
					t.Fatalf("%s: %q is run as a formula", columns[i], cell)
				}
			}
		}
	})
}

func TestMarkdownIsPlain(t *testing.T) {
	b := &Book{Channel: "trip", At: 1_800_000_000_000, Plan: []Payment{{"ben", "a|b", "EUR", money.SumOf(1500)}},
		Balances: []Balance{{"a|b", "EUR", money.SumOf(1500)}, {"ben", "EUR", money.SumOf(-1500)}}}
	body, err := ledger.NewExpense(ledger.Expense{
		Amount: 3000, Currency: "EUR", Payers: []ledger.Part{{Member: "a|b", Amount: 3000}},
		Split: []ledger.Portion{{Member: "a|b"}, {Member: "ben"}}, Note: "<b>*x*</b>", Date: "2026-01-02",
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Entries = []Entry{{ID: "1", Body: body}}
	want := `# trip

As of 2027-01-15T08:00:00.000Z.

## Entries

| day | what | who | moves |
| --- | --- | --- | --- |
| 2026-01-02 | \<b\>\*x\*\</b\> | a\|b | a\|b 30.00 EUR, a\|b -15.00 EUR, ben -15.00 EUR |

## Balances

| member | balance |
| --- | ---: |
| a\|b | +15.00 EUR |
| ben | -15.00 EUR |

## Who pays whom

| from | to | amount |
| --- | --- | ---: |
| ben | a\|b | 15.00 EUR |
`
	if got := Markdown(b); got != want {
		t.Errorf("got\n%s", got)
	}
}

func spoken(t testing.TB, read *Read, err error) string {
	t.Helper()
	if err != nil {
		return "! " + err.Error()
	}
	var out strings.Builder
	for _, row := range read.Rows {
		raw, err := row.Body.Encode()
		if err != nil {
			t.Fatal(err)
		}
		body := strings.Replace(string(raw), row.Source, "S", 1)
		fmt.Fprintf(&out, "%d %s\n", row.Line, body)
	}
	for _, skip := range read.Skipped {
		fmt.Fprintf(&out, "%d skipped: %s\n", skip.Line, skip.Why)
	}
	return out.String()
}

const splitwise = "\ufeff" + `Note: does not include group expenses

Date,Description,Category,Cost,Currency,Ann Lee,Ben,Cleo

2026-01-05,"Dinner, late",Dining out,30.00,EUR,20.00,-10.00,-10.00
2026-01-05,"Dinner, late",Dining out,30.00,EUR,20.00,-10.00,-10.00
2026-01-06,Ben paid Ann L.,Payment,10.00,EUR,-10.00,10.00,0.00
2026-01-07,Taxi,Taxi,50.00,EUR,15.00,15.00,-30.00
2026-01-08,Own lunch,Food,9.00,EUR,0.00,0.00,0.00
2026-01-09,=HYPERLINK(1),General,-6.00,EUR,-4.00,2.00,2.00

2026-01-10,Total balance, , ,EUR,41.00,-3.00,-38.00
`

func TestSplitwise(t *testing.T) {
	read, err := ReadSplitwise([]byte(splitwise), context)
	want := `5 {"amount":"30.00","category":"Dining out","currency":"EUR","date":"2026-01-05","kind":"expense","mode":"exact","note":"Dinner, late","payers":[{"amount":"30.00","member":"ann lee"}],"source":"S","split":[{"member":"ann lee","value":"10.00"},{"member":"ben","value":"10.00"},{"member":"cleo","value":"10.00"}],"v":1}
6 {"amount":"30.00","category":"Dining out","currency":"EUR","date":"2026-01-05","kind":"expense","mode":"exact","note":"Dinner, late","payers":[{"amount":"30.00","member":"ann lee"}],"source":"S","split":[{"member":"ann lee","value":"10.00"},{"member":"ben","value":"10.00"},{"member":"cleo","value":"10.00"}],"v":1}
7 {"amount":"10.00","currency":"EUR","date":"2026-01-06","from":"ben","kind":"payment","note":"Ben paid Ann L.","source":"S","to":"ann lee","v":1}
8 {"amount":"50.00","category":"Taxi","currency":"EUR","date":"2026-01-07","kind":"expense","mode":"exact","note":"Taxi","payers":[{"amount":"25.00","member":"ann lee"},{"amount":"25.00","member":"ben"}],"source":"S","split":[{"member":"ann lee","value":"10.00"},{"member":"ben","value":"10.00"},{"member":"cleo","value":"30.00"}],"v":1}
10 {"amount":"-6.00","category":"General","currency":"EUR","date":"2026-01-09","kind":"expense","mode":"exact","note":"=HYPERLINK(1)","payers":[{"amount":"6.00","member":"ann lee"}],"source":"S","split":[{"member":"ann lee","value":"2.00"},{"member":"ben","value":"2.00"},{"member":"cleo","value":"2.00"}],"v":1}
9 skipped: it changes nothing for anybody
`
	if got := spoken(t, read, err); got != want {
		t.Errorf("got\n%s", got)
	}
	if read.Rows[0].Source == read.Rows[1].Source {
		t.Error("two equal rows are one")
	}
	// A member who joins later changes no row's import id.
	wider := strings.NewReplacer("Ben,Cleo", "Ben,Cleo,Dan", "-10.00,-10.00\n", "-10.00,-10.00,0.00\n", "0.00,0.00\n", "0.00,0.00,0.00\n",
		"10.00,0.00\n", "10.00,0.00,\n", "15.00,-30.00\n", "15.00,-30.00,0.00\n", "2.00,2.00\n", "2.00,2.00,0\n", "-3.00,-38.00\n", "-3.00,-38.00,0.00\n").Replace(splitwise)
	again, err := ReadSplitwise([]byte(wider), context)
	if err != nil || len(again.Rows) != len(read.Rows) {
		t.Fatal(again, err)
	}
	for i, row := range again.Rows {
		if row.Source != read.Rows[i].Source {
			t.Errorf("row %d has another import id", row.Line)
		}
	}
}

const spliit = `{"id":"g1","name":"Trip","information":null,"currency":"€","currencyCode":"EUR","activities":[{"id":"a"}],
"participants":[{"id":"p1","name":"Ann"},{"id":"p2","name":"Ben"}],
"expenses":[
{"id":"e1","createdAt":"2026-01-05T10:00:00.000Z","expenseDate":"2026-01-05T00:00:00.000Z","title":"Dinner","category":{"grouping":"Food","name":"Dining Out"},"amount":3001,"paidById":"p1","paidFor":[{"participantId":"p1","shares":100},{"participantId":"p2","shares":100}],"isReimbursement":false,"splitMode":"EVENLY","recurrenceRule":null,"notes":"late\nnight"},
{"createdAt":"2026-01-05T11:00:00.000Z","expenseDate":"2026-01-06T00:00:00.000Z","title":"Taxi","category":null,"amount":5,"paidById":"p2","paidFor":[{"participantId":"p1","shares":150},{"participantId":"p2","shares":100}],"isReimbursement":false,"splitMode":"BY_SHARES"},
{"id":"e3","expenseDate":"2026-01-07T00:00:00.000Z","title":"Wine","amount":1000,"paidById":"p2","paidFor":[{"participantId":"p1","shares":2550},{"participantId":"p2","shares":7450}],"isReimbursement":false,"splitMode":"BY_PERCENTAGE"},
{"id":"e4","expenseDate":"2026-01-07T00:00:00.000Z","title":"Tickets","amount":1000,"paidById":"p2","paidFor":[{"participantId":"p1","shares":300},{"participantId":"p2","shares":700}],"isReimbursement":false,"splitMode":"BY_AMOUNT"},
{"id":"e5","expenseDate":"2026-01-08T00:00:00.000Z","title":"Back","amount":1500,"paidById":"p2","paidFor":[{"participantId":"p1","shares":100}],"isReimbursement":true,"splitMode":"EVENLY"}]}`

func TestSpliit(t *testing.T) {
	read, err := ReadSpliit([]byte(spliit), context)
	want := `1 {"amount":"30.01","category":"Dining Out","currency":"EUR","date":"2026-01-05","kind":"expense","mode":"equal","note":"Dinner: late night","payers":[{"amount":"30.01","member":"ann"}],"source":"S","split":[{"member":"ann"},{"member":"ben"}],"v":1}
2 {"amount":"0.05","currency":"EUR","date":"2026-01-06","kind":"expense","mode":"shares","note":"Taxi","payers":[{"amount":"0.05","member":"ben"}],"source":"S","split":[{"member":"ann","value":"1.5"},{"member":"ben","value":"1"}],"v":1}
3 {"amount":"10.00","currency":"EUR","date":"2026-01-07","kind":"expense","mode":"percent","note":"Wine","payers":[{"amount":"10.00","member":"ben"}],"source":"S","split":[{"member":"ann","value":"25.5"},{"member":"ben","value":"74.5"}],"v":1}
4 {"amount":"10.00","currency":"EUR","date":"2026-01-07","kind":"expense","mode":"exact","note":"Tickets","payers":[{"amount":"10.00","member":"ben"}],"source":"S","split":[{"member":"ann","value":"3.00"},{"member":"ben","value":"7.00"}],"v":1}
5 {"amount":"15.00","currency":"EUR","date":"2026-01-08","from":"ben","kind":"payment","note":"Back","source":"S","to":"ann","v":1}
`
	if got := spoken(t, read, err); got != want {
		t.Errorf("got\n%s", got)
	}
	if read.Rows[0].Source != "spliit:e1" || !strings.HasPrefix(read.Rows[1].Source, "spliit#") {
		t.Error(read.Rows[0].Source, read.Rows[1].Source)
	}
	yen := money.Currency("JPY")
	if _, err := ReadSpliit([]byte(strings.Replace(spliit, `"currencyCode":"EUR"`, `"currencyCode":""`, 1)), Context{Currency: money.ParseCurrency, Default: &yen}); err == nil {
		t.Error("30.01 yen were taken")
	}
}

// What is wrong is refused with its row; nothing is half read.
func TestWrongDataAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		read func([]byte, Context) (*Read, error)
		data string
		want string
	}{
		"splitwise sum":      {ReadSplitwise, strings.Replace(splitwise, "15.00,-30.00", "15.00,-30.01", 1), "row 8: what the members paid and owe differs by -0.01"},
		"splitwise amount":   {ReadSplitwise, strings.Replace(splitwise, ",50.00,", `,"1,050.00",`, 1), `row 8: amount "1,050.00"`},
		"splitwise cost":     {ReadSplitwise, strings.Replace(splitwise, ",50.00,", ",20.00,", 1), "row 8: the members are owed 10.00 more than the cost 20.00"},
		"splitwise date":     {ReadSplitwise, strings.Replace(splitwise, "2026-01-07", "07/01/2026", 1), `row 8: date "07/01/2026" is not a day`},
		"splitwise currency": {ReadSplitwise, strings.Replace(splitwise, "50.00,EUR", "50.00,EURO", 1), "row 8"},
		"splitwise cells":    {ReadSplitwise, strings.Replace(splitwise, "Taxi,Taxi,", "Taxi,Taxi,Taxi,", 1), "row 8: 9 cells, the header has 8"},
		"splitwise names":    {ReadSplitwise, strings.Replace(splitwise, "Ben,Cleo", "Ben,ben", 1), `the column "ben" stands in the header twice`},
		"splitwise header":   {ReadSplitwise, "a,b\n1,2\n", "no header that is known"},
		"spliit json":        {ReadSpliit, spliit[:100], "the data are not the JSON of this format"},
		"spliit behind":      {ReadSpliit, spliit + "{}", "more behind"},
		"spliit other":       {ReadSpliit, `{"a":1}`, "no export of a Spliit group"},
		"spliit sign":        {ReadSpliit, strings.NewReplacer(`"EUR"`, `""`, "€", "$").Replace(spliit), `counts in "$"`},
		"spliit amount":      {ReadSpliit, strings.Replace(spliit, ":3001,", ":30.01,", 1), `row 1: amount "30.01" is no whole number`},
		"spliit payer":       {ReadSpliit, strings.Replace(spliit, `"paidById":"p1"`, `"paidById":"p9"`, 1), `row 1: "p9" is no participant`},
		"spliit mode":        {ReadSpliit, strings.Replace(spliit, "BY_SHARES", "BY_MAGIC", 1), `row 2: split mode "BY_MAGIC"`},
		"spliit parts":       {ReadSpliit, strings.Replace(spliit, `"shares":300`, `"shares":301`, 1), "row 4:"},
		"csv column":         {ReadCSVEntries, "payer,amount,split,colour\n", `the column "colour" is not known`},
		"csv no amount":      {ReadCSVEntries, "payer,split\n", "no column amount"},
		"csv kind":           {ReadCSVEntries, "kind,amount\nwish,3\n", `row 2: kind "wish"`},
		"csv amount":         {ReadCSVEntries, "payer,amount,split\nann,1e3,ann\n", `row 2: amount "1e3"`},
		"csv settlement":     {ReadCSVEntries, "kind,from,to,amount\nsettlement,ann,ben,3\n", "row 2: a settlement has neither id nor source"},
		"csv quote":          {ReadCSVEntries, "payer,amount,split\n\"ann,3,ann\n", "the table cannot be read"},
		"json other":         {ReadJSON, `{"app":"x","version":1,"entries":[]}`, `but of "x", version 1`},
		"json no entries":    {ReadJSON, `{"app":"intersplit","version":1}`, "no export of this ledger"},
		"json entries":       {ReadJSON, `{"app":"intersplit","version":1,"entries":7}`, "not the JSON of this format"},
		"json null":          {ReadJSON, `{"app":"intersplit","version":1,"entries":null}`, "no export of this ledger"},
		"json no id":         {ReadJSON, `{"app":"intersplit","version":1,"entries":[{"kind":"payment","from":"a","to":"b","amount":"1"}]}`, "row 1: the entry has neither id nor source"},
		"no text":            {ReadJSON, "\xff\xfe", "not UTF-8"},
		"too long":           {ReadJSON, strings.Repeat(" ", MaxData+1), "bytes"},
		"empty":              {ReadCSVEntries, "", "no header"},
	} {
		_, err := c.read([]byte(c.data), context)
		if f := fault.Of(err); f == nil || !strings.Contains(f.Message, c.want) || f.Hint == "" || f.Kind == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTooManyRowsAreRefused(t *testing.T) {
	table := "payer,amount,split\n" + strings.Repeat("ann,1,ben\n", MaxRows+1)
	if _, err := ReadCSVEntries([]byte(table), context); fault.KindOf(err) != fault.Limited {
		t.Error(err)
	}
	for form, read := range map[string]func([]byte) error{
		`{"app":"intersplit","version":1,"entries":[%s]}`: func(data []byte) error { _, err := ReadJSON(data, context); return err },
		`{"app":"intersplit","version":1,"signed":[%s]}`:  func(data []byte) error { _, err := ReadSigned(data); return err },
		`{"participants":[],"expenses":[%s]}`:             func(data []byte) error { _, err := ReadSpliit(data, context); return err },
	} {
		data := fmt.Sprintf(form, strings.Repeat("null,", MaxRows)+"null")
		if err := read([]byte(data)); fault.KindOf(err) != fault.Limited || !strings.Contains(err.Error(), "50000") {
			t.Errorf("%s: %v", form, err)
		}
	}
	if read, err := ReadCSVEntries([]byte(table[:len(table)-len("ann,1,ben\n")]), context); err != nil || len(read.Rows) != MaxRows {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(byte(0), splitwise)
	f.Add(byte(1), spliit)
	f.Add(byte(2), "id,kind,from,to,amount,payers,split,tags\n1,settlement,a,b,3,,,\n2,,,,-3,ann:3,\"ann,ben:1\",[\"x\"]\n")
	f.Add(byte(3), `{"app":"intersplit","version":1,"entries":[{"id":"1","kind":"expense","amount":"3.0","currency":"nights","mode":"equal","payers":[{"member":"a","amount":"3.0"}],"split":["a"],"converted":{"currency":"EUR","rate":"2","amount":"6.00"}}]}`)
	readers := []func([]byte, Context) (*Read, error){ReadSplitwise, ReadSpliit, ReadCSVEntries, ReadJSON}
	f.Fuzz(func(t *testing.T, which byte, data string) {
		read, err := readers[int(which)%len(readers)]([]byte(data), context)
		if err != nil {
			if f := fault.Of(err); f.Kind == fault.Internal || f.Hint == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		for _, row := range read.Rows {
			if row.Source == "" || row.Source != row.Body.Source() {
				t.Fatalf("row %d: import ids %q and %q", row.Line, row.Source, row.Body.Source())
			}
		}
	})
}

func TestSignedEntriesAreReadAsTheyStand(t *testing.T) {
	got, err := ReadSigned([]byte(`{"app":"intersplit","version":1,"channel":"trip","entries":[{"id":"a","amount":7}],"signed":["x","y"]}`))
	if err != nil || got.Channel != "trip" || fmt.Sprint(got.Entries, got.Listed) != "[x y] [a]" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = ReadSigned([]byte(`{"app":"intersplit","version":1,"entries":[]}`)); err != nil || got.Entries != nil {
		t.Errorf("an export of before: %+v, %v", got, err)
	}
	for _, data := range []string{"", "[]", `{"app":"x","version":1,"entries":[]}`, `{"app":"intersplit","version":1,"entries":[],"signed":{}}`, `{"app":"intersplit","version":1,"entries":[],"signed":[1]}`} {
		if _, err := ReadSigned([]byte(data)); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func FuzzReadSigned(f *testing.F) {
	f.Add(`{"app":"intersplit","version":1,"channel":"trip","entries":[{"id":"a"}],"signed":["AAAA",""]}`)
	f.Add(`{"app":"intersplit","version":1,"entries":[],"signed":null}`)
	f.Fuzz(func(t *testing.T, data string) {
		s, err := ReadSigned([]byte(data))
		if f := fault.Of(err); f != nil && (f.Kind == fault.Internal || f.Hint == "") {
			t.Fatalf("%#v", err)
		}
		if err == nil && len(s.Entries) > MaxRows {
			t.Fatal(len(s.Entries))
		}
	})
}
