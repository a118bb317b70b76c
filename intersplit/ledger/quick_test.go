package ledger

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
)

// agreesWithTheLongWay is the law of quick: what it reads, the long way reads the
// same.
func agreesWithTheLongWay(t interface{ Errorf(string, ...any) }, raw []byte) (read bool) {
	quickly, ok := quick(raw)
	if !ok {
		return false
	}
	slowly, reason := decode(raw)
	if reason != "" || !reflect.DeepEqual(quickly, slowly) {
		t.Errorf("%s is %+v quickly, %+v (%s) the long way", raw, quickly.Expense, slowly.Expense, reason)
	}
	return true
}

func everyday(note string) []byte {
	return []byte(`{"amount":"30.00","currency":"EUR","date":"2026-02-28","key":"k","kind":"expense","mode":"equal","note":"` + note +
		`","payers":[{"amount":"10.00","member":"ann"},{"amount":"20.00","member":"b b"}],"split":[{"member":"ann"},{"member":"b b"}],"v":1}`)
}

func TestEverydayExpensesAreReadQuickly(t *testing.T) {
	for _, raw := range [][]byte{
		everyday("dinner"), everyday("<b> & 'x'"),
		[]byte(`{"amount":"-7","currency":"JPY","kind":"expense","mode":"equal","payers":[{"amount":"7","member":"a"}],"split":[{"member":"a"}],"v":1}`),
		[]byte(`{"amount":"0.05","category":"food","currency":"","kind":"expense","mode":"equal","payers":[{"amount":"0.05","member":"a"}],"split":[{"member":"b"}],"v":1}`),
	} {
		if !agreesWithTheLongWay(t, raw) {
			t.Errorf("%s is not read quickly", raw)
		}
	}
}

// Whatever is nearly an everyday expense is read as the long way reads it, or
// left to it.
func TestQuickReadingIsTheLongWay(t *testing.T) {
	texts := []string{"", "a", "dinner", " a", "a ", "a  b", "A", "é", "a,b", "a:b", "\u202e", `\\`, `\u0041`, "~", "\x7f", "1e3", "30.00", "30.0", "030.00", "+30.00", "-0.00", "10.00", "EUR", "jpy", "2026-02-30", "2026-02-28"}
	rapid.Check(t, func(t *rapid.T) {
		raw := everyday(rapid.SampledFrom(texts).Draw(t, "note"))
		var fields map[string]any
		if json.Unmarshal(raw, &fields) == nil {
			name := rapid.SampledFrom([]string{"amount", "currency", "date", "key", "note", "category", "mode", "kind", "source", "rate"}).Draw(t, "field")
			fields[name] = rapid.SampledFrom(texts).Draw(t, "value")
			if rapid.Bool().Draw(t, "members too") {
				fields["split"] = []map[string]string{{"member": rapid.SampledFrom(texts).Draw(t, "first")}, {"member": rapid.SampledFrom(texts).Draw(t, "second")}}
			}
			raw, _ = marshal(fields)
		}
		agreesWithTheLongWay(t, raw)
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
		raw[at] = rapid.Byte().Draw(t, "byte")
		agreesWithTheLongWay(t, raw)
	})
	rapid.Check(t, func(t *rapid.T) { // what constructors make
		name := rapid.StringMatching(`[a-zé][a-z0-9 _-]{0,5}`)
		e := Expense{Currency: money.Currency(rapid.SampledFrom([]string{"", "EUR", "JPY", "BHD"}).Draw(t, "currency")), Note: rapid.String().Draw(t, "note")}
		for i := range rapid.IntRange(1, 20).Draw(t, "payers") {
			part := Part{Member: Name(fmt.Sprint(name.Draw(t, "payer"), i)), Amount: money.Minor(rapid.Int64Range(1, 1e14).Draw(t, "part"))}
			e.Payers, e.Amount = append(e.Payers, part), e.Amount+part.Amount
		}
		for range rapid.IntRange(1, 20).Draw(t, "split") {
			e.Split = append(e.Split, Portion{Member: Name(name.Draw(t, "member"))})
		}
		body, err := NewExpense(e)
		if err != nil {
			return
		}
		raw, err := body.Encode()
		if err != nil {
			t.Fatal(err)
		}
		agreesWithTheLongWay(t, raw)
	})
}

func FuzzQuick(f *testing.F) {
	f.Add(everyday("dinner"))
	f.Fuzz(func(t *testing.T, raw []byte) { agreesWithTheLongWay(t, raw) })
}

func BenchmarkDecode(b *testing.B) {
	raw := everyday("dinner")
	b.Run("quick", func(b *testing.B) {
		for b.Loop() {
			quick(raw)
		}
	})
	b.Run("the long way", func(b *testing.B) {
		for b.Loop() {
			decode(raw)
		}
	})
}
