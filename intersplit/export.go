package intersplit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Format is a form of export.
type Format string

// The forms of export (upstream 10.1).
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
	FormatCSV  Format = "csv"
)

// write gives the statement in a format. at is when it is generated, ms.
func (s *statement) write(format Format, at int64) (string, error) {
	switch format {
	case FormatText, "":
		return s.text(at), nil
	case FormatJSON:
		return s.json(at)
	case FormatCSV:
		return s.csv()
	default:
		return "", fault.New(fault.Invalid, "format %q is not known", format).WithHint("use text, json or csv")
	}
}

// text is upstream's form, with the entries behind it.
func (s *statement) text(at int64) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("InterSplit Settlement Export")
	line("generated_at: %s", isoTime(at))
	line("channel: %s", s.channel)
	line("events: %d", s.expenses)
	line("total: %s", spokenTotals(s.totals()))
	line("balances:")
	for _, b := range s.books {
		for _, member := range b.balances {
			line("- %s: %s", member.Member, withCode(member.Amount.Signed(b.currency), string(b.currency)))
		}
	}
	if len(s.balances()) == 0 {
		line("- none")
	}
	line("settlements:")
	for _, p := range s.settlements() {
		line("- %s", spokenSettlement(p))
	}
	if len(s.settlements()) == 0 {
		line("- none")
	}
	line("entries:")
	for _, e := range s.entries {
		line("- %s", spokenEntry(e))
	}
	if len(s.entries) == 0 {
		line("- none")
	}
	if s.cleared != nil {
		line("cleared: %s", spokenCleared(*s.cleared))
	}
	return out.String()
}

// The JSON form: upstream's members, then ours. cents are minor units, written
// out in digits however many there are. entries is what counts now, for reading and
// for other rooms; signed is the room itself.
type (
	jsonExport struct {
		App         string           `json:"app"`
		Version     int              `json:"version"`
		GeneratedAt string           `json:"generatedAt"`
		Channel     string           `json:"channel"`
		EventCount  int              `json:"eventCount"`
		Total       *string          `json:"total,omitempty"`
		Totals      []Total          `json:"totals,omitempty"`
		Currency    *string          `json:"currency,omitempty"`
		Balances    []jsonBalance    `json:"balances"`
		Settlements []jsonSettlement `json:"settlements"`
		Entries     []Entry          `json:"entries"`
		Cleared     *Cleared         `json:"cleared,omitempty"`
		Signed      []string         `json:"signed"` // see [room.eachSigned]
	}
	jsonBalance struct {
		Member    string      `json:"member"`
		Cents     json.Number `json:"cents"`
		Amount    string      `json:"amount"`
		Currency  string      `json:"currency"`
		Direction string      `json:"direction"`
	}
	jsonSettlement struct {
		From     string      `json:"from"`
		To       string      `json:"to"`
		Cents    json.Number `json:"cents"`
		Amount   string      `json:"amount"`
		Currency string      `json:"currency"`
	}
)

func (s *statement) json(at int64) (string, error) {
	export := jsonExport{
		App: "intersplit", Version: 1, GeneratedAt: isoTime(at), Channel: s.channel, EventCount: s.expenses,
		Balances: []jsonBalance{}, Settlements: []jsonSettlement{}, Entries: s.entries, Cleared: s.cleared, Signed: s.signed,
	}
	if totals := s.totals(); len(totals) > 1 {
		export.Totals = totals
	} else {
		only := append(totals, Total{Amount: money.Sum{}.Format("")})[0]
		export.Total, export.Currency = &only.Amount, &only.Currency
	}
	for _, b := range s.books {
		export.add(b)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(export); err != nil {
		return "", err
	}
	return out.String(), nil
}

func (x *jsonExport) add(b currencyBook) {
	code := string(b.currency)
	for _, member := range b.balances {
		direction := "receives"
		if member.Amount.Sign() < 0 {
			direction = "owes"
		}
		x.Balances = append(x.Balances, jsonBalance{
			Member: string(member.Member), Cents: json.Number(member.Amount.Digits()),
			Amount: member.Amount.Format(b.currency), Currency: code, Direction: direction,
		})
	}
	for _, p := range b.plan.Payments {
		x.Settlements = append(x.Settlements, jsonSettlement{
			From: p.From, To: p.To, Cents: json.Number(p.Amount.Digits()), Amount: p.Amount.Format(b.currency), Currency: code,
		})
	}
}

// csv lists the settlements under upstream's header, with a column for the
// currency once there is one. Cells are quoted as RFC 4180 says; lines end with a
// line feed, as upstream's do.
func (s *statement) csv() (string, error) {
	header := []string{"from", "to", "amount"}
	named := len(s.books) > 0 && s.books[len(s.books)-1].currency != "" // sorted: "" comes first
	if named {
		header = append(header, "currency")
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	rows := [][]string{header}
	for _, p := range s.settlements() {
		row := []string{harmless(p.From), harmless(p.To), p.Amount}
		if named {
			row = append(row, p.Currency)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return "", err
	}
	return out.String(), nil
}

// harmless keeps a spreadsheet from running a name as a formula: an apostrophe in
// front makes it text. The full-width signs count as well in some locales.
func harmless(cell string) string {
	if strings.IndexAny(cell, "=+-@\t\r＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
