package format

import (
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Formula-safe cells: a spreadsheet runs a cell that begins with one of these, and
// takes an apostrophe in front for text. A cell that begins with an apostrophe
// gets another, so that reading gives back what was written.
const formulaSigns = "=+-@\t\r＝＋－＠"

func safe(cell string) string {
	if strings.IndexAny(cell, formulaSigns+"'") == 0 {
		return "'" + cell
	}
	return cell
}

func unsafe(cell string) string {
	if rest, guarded := strings.CutPrefix(cell, "'"); guarded && strings.IndexAny(rest, formulaSigns+"'") == 0 {
		return rest
	}
	return cell
}

func itoa(n int) string { return strconv.Itoa(n) }

// columns of the table of entries. An expense has payers and split, a payment from
// and to; a settlement has a row for each of its payments, with one id.
var columns = []string{
	"id", "source", "kind", "date", "recorded", "payers", "amount", "currency", "convert_to", "rate", "mode", "split",
	"shares", "from", "to", "category", "tags", "note", "by",
}

// CSVEntries writes the table of all entries.
func CSVEntries(b *Book) (string, error) {
	var out strings.Builder
	w := csv.NewWriter(&out)
	if err := w.Write(columns); err != nil {
		return "", err
	}
	for _, e := range b.Entries {
		for _, row := range e.cells() {
			cells := make([]string, len(columns))
			for i, column := range columns {
				cells[i] = row[column]
			}
			if err := w.Write(cells); err != nil {
				return "", err
			}
		}
	}
	w.Flush()
	return out.String(), w.Error()
}

func (e *Entry) cells() []map[string]string {
	note, category, date, tags := e.says()
	row := func(more map[string]string) map[string]string {
		more["id"], more["by"], more["recorded"], more["kind"] = e.ID, e.By, isoTime(e.TS), string(e.Body.Kind)
		more["source"], more["note"], more["category"], more["date"] = safe(e.Body.Source()), safe(note), safe(category), date
		if len(tags) > 0 {
			more["tags"] = safe(writeTags(tags))
		}
		return more
	}
	transfer := func(t ledger.Transfer) map[string]string {
		return row(map[string]string{
			"from": safe(string(t.From)), "to": safe(string(t.To)), "amount": t.Amount.Format(t.Currency), "currency": t.Currency.Code(),
		})
	}
	switch {
	case e.Body.Expense != nil:
		return []map[string]string{row(expenseCells(e.Body.Expense))}
	case e.Body.Payment != nil:
		return []map[string]string{transfer(e.Body.Payment.Transfer)}
	case e.Body.Settlement != nil:
		var rows []map[string]string
		for _, t := range e.Body.Settlement.Payments {
			rows = append(rows, transfer(t))
		}
		return rows
	}
	return nil
}

func expenseCells(x *ledger.Expense) map[string]string {
	var payers, split, shares []string
	for _, p := range x.Payers {
		payers = append(payers, string(p.Member)+":"+p.Amount.Format(x.Currency))
	}
	for _, p := range x.Split {
		if p.Value != "" {
			split = append(split, string(p.Member)+":"+p.Value)
		} else {
			split = append(split, string(p.Member))
		}
	}
	booked, err := x.Booked()
	if err != nil {
		panic("format: an expense that was checked cannot be split: " + err.Error())
	}
	for _, p := range booked.Borne {
		shares = append(shares, string(p.Member)+":"+p.Amount.Format(booked.Currency))
	}
	return map[string]string{
		"payers": safe(strings.Join(payers, ",")), "split": safe(strings.Join(split, ",")), "shares": safe(strings.Join(shares, ",")),
		"amount": x.Amount.Format(x.Currency), "currency": x.Currency.Code(), "convert_to": x.ConvertTo.Code(), "rate": string(x.Rate),
		"mode": string(x.Mode),
	}
}

// writeTags joins tags, in JSON when a comma would part them otherwise.
func writeTags(tags []string) string {
	joined := strings.Join(tags, ",")
	if strings.Count(joined, ",") == len(tags)-1 && !strings.HasPrefix(joined, "[") {
		return joined
	}
	raw, err := json.Marshal(tags)
	if err != nil {
		panic("format: tags are text: " + err.Error())
	}
	return string(raw)
}

func readTags(cell string) ([]string, error) {
	if cell == "" {
		return nil, nil
	}
	if !strings.HasPrefix(cell, "[") {
		return strings.Split(cell, ","), nil
	}
	var tags []string
	if err := json.Unmarshal([]byte(cell), &tags); err != nil {
		return nil, fault.New(fault.Invalid, "tags %.60q are no list", cell).WithHint("part them by commas")
	}
	return tags, nil
}

// ReadCSVEntries reads the table that [CSVEntries] writes, or one made by hand
// with some of its columns: at least amount, payers and split, or from and to.
func ReadCSVEntries(data []byte, in Context) (*Read, error) {
	known := map[string]bool{"payer": true}
	for _, column := range columns {
		known[column] = true
	}
	t, err := readTable(data, func([]string) bool { return true })
	if err != nil {
		return nil, err
	}
	for _, column := range t.header {
		if name := strings.ToLower(strings.TrimSpace(column)); !known[name] {
			return nil, fault.New(fault.Invalid, "the column %.60q is not known", column).WithHint("the columns are %s", strings.Join(columns, ", "))
		}
	}
	if _, has := t.column["amount"]; !has {
		return nil, fault.New(fault.Invalid, "the table has no column amount").WithHint("the columns are %s", strings.Join(columns, ", "))
	}
	r := csvReader{table: t, in: in, hashes: hashes{format: "csv-entries"}}
	return r.read()
}

type csvReader struct {
	*table
	in     Context
	hashes hashes
	out    Read

	settling *ledger.Settlement // that the rows before belong to
	id       string
	begun    int // its first row
}

func (r *csvReader) read() (*Read, error) {
	for _, row := range r.rows {
		if err := r.row(row); err != nil {
			return nil, atLine(row.line, err)
		}
	}
	if err := r.settled(); err != nil {
		return nil, atLine(r.begun, err)
	}
	return &r.out, nil
}

func (r *csvReader) get(row tableRow, column string) string { return unsafe(r.cell(row, column)) }

func (r *csvReader) row(row tableRow) error {
	kind := r.get(row, "kind")
	id := r.get(row, "id")
	if r.settling != nil && (kind != string(ledger.KindSettlement) || id != r.id) {
		if err := r.settled(); err != nil {
			return err
		}
	}
	switch {
	case kind == string(ledger.KindSettlement):
		return r.settlement(row, id)
	case kind == string(ledger.KindPayment) || kind == "" && r.get(row, "from") != "":
		return r.payment(row)
	case kind == string(ledger.KindExpense) || kind == "":
		return r.expense(row)
	case kind == string(ledger.KindRule):
		r.out.Skipped = append(r.out.Skipped, Skip{row.line, ruleSkipped})
		return nil
	}
	return fault.New(fault.Invalid, "kind %.60q is not known", kind).WithHint("use expense, payment or settlement")
}

// ruleSkipped is why recurring rules are not taken over.
const ruleSkipped = "a recurring rule moves nothing by itself: add it again from its next day on"

// add keeps a row that was read, under its own import id, that of its entry, or
// the hash of what it says.
func (r *csvReader) add(row tableRow, make func(source string) (ledger.Body, error)) error {
	source := r.get(row, "source")
	if source == "" {
		if id := r.get(row, "id"); id != "" {
			source = ledger.SourceOf(id)
		} else {
			var fields []string
			for i, cell := range row.cells {
				if cell = strings.TrimSpace(cell); cell != "" {
					fields = append(fields, strings.ToLower(strings.TrimSpace(r.header[i])), cell)
				}
			}
			source = r.hashes.source(fields...)
		}
	}
	body, err := make(source)
	if err != nil {
		return err
	}
	r.out.Rows = append(r.out.Rows, Row{Line: row.line, Source: source, Body: body})
	return nil
}

func (r *csvReader) currency(row tableRow, amount string) (money.Currency, error) {
	code := r.get(row, "currency")
	if code == "" && r.in.Default != nil {
		return *r.in.Default, nil
	}
	return r.code(row, code, amount)
}

// code reads a currency; in a table made by hand a unit that the room does not know
// is more likely a slip.
func (r *csvReader) code(row tableRow, code, amount string) (money.Currency, error) {
	if r.get(row, "id") == "" {
		return r.in.Currency(code)
	}
	return r.in.exported(code, amount)
}

func (r *csvReader) transfer(row tableRow) (ledger.Transfer, error) {
	text := r.cell(row, "amount")
	c, err := r.currency(row, text)
	if err != nil {
		return ledger.Transfer{}, err
	}
	amount, err := money.Parse(text, c)
	return ledger.Transfer{From: ledger.Name(r.get(row, "from")), To: ledger.Name(r.get(row, "to")), Amount: amount, Currency: c}, err
}

func (r *csvReader) payment(row tableRow) error {
	t, err := r.transfer(row)
	if err != nil {
		return err
	}
	return r.add(row, func(source string) (ledger.Body, error) {
		return ledger.NewPayment(ledger.Payment{Transfer: t, Date: r.get(row, "date"), Note: r.get(row, "note"), Source: source})
	})
}

// settlement collects the rows of one settlement.
func (r *csvReader) settlement(row tableRow, id string) error {
	t, err := r.transfer(row)
	if err != nil {
		return err
	}
	if r.settling == nil {
		r.settling, r.id, r.begun = &ledger.Settlement{Note: r.get(row, "note"), Source: r.get(row, "source")}, id, row.line
	}
	r.settling.Payments = append(r.settling.Payments, t)
	return nil
}

// settled ends the rows of a settlement.
func (r *csvReader) settled() error {
	if r.settling == nil {
		return nil
	}
	s := *r.settling
	r.settling = nil
	if s.Source == "" && r.id != "" {
		s.Source = ledger.SourceOf(r.id)
	}
	if s.Source == "" {
		return fault.New(fault.Invalid, "a settlement has neither id nor source").WithHint("give its rows one id")
	}
	body, err := ledger.NewSettlement(s, "")
	if err != nil {
		return err
	}
	r.out.Rows = append(r.out.Rows, Row{Line: r.begun, Source: s.Source, Body: body})
	return nil
}

func (r *csvReader) expense(row tableRow) error {
	text := r.cell(row, "amount")
	c, err := r.currency(row, text)
	if err != nil {
		return err
	}
	x := ledger.Expense{
		Currency: c, Mode: ledger.Mode(r.get(row, "mode")), Date: r.get(row, "date"), Category: r.get(row, "category"),
		Note: r.get(row, "note"), Rate: money.Rate(r.get(row, "rate")),
	}
	if x.Amount, err = money.Parse(text, c); err != nil {
		return err
	}
	if to := r.get(row, "convert_to"); to != "" {
		if x.ConvertTo, err = r.code(row, to, firstAmount(r.get(row, "shares"))); err != nil {
			return err
		}
	}
	if x.Payers, err = readPayers(r.get(row, "payers")+r.get(row, "payer"), x.Amount, c); err != nil {
		return err
	}
	if x.Tags, err = readTags(r.get(row, "tags")); err != nil {
		return err
	}
	for part := range strings.SplitSeq(r.get(row, "split"), ",") {
		if name, value, _ := strings.Cut(part, ":"); strings.TrimSpace(name) != "" {
			x.Split = append(x.Split, ledger.Portion{Member: ledger.Name(name), Value: value})
		}
	}
	return r.add(row, func(source string) (ledger.Body, error) {
		x.Source = source
		return ledger.NewExpense(x)
	})
}

// firstAmount is the first amount of "ann:12.50,ben:12.50".
func firstAmount(cell string) string {
	first, _, _ := strings.Cut(cell, ",")
	_, amount, _ := strings.Cut(first, ":")
	return amount
}

// readPayers reads "ann:20.00,ben:10.00", or one name who paid all of it.
func readPayers(cell string, amount money.Minor, c money.Currency) ([]ledger.Part, error) {
	var payers []ledger.Part
	for part := range strings.SplitSeq(cell, ",") {
		name, text, given := strings.Cut(part, ":")
		if strings.TrimSpace(part) == "" {
			continue
		}
		paid := amount.Abs()
		if given {
			var err error
			if paid, err = money.Parse(text, c); err != nil {
				return nil, err
			}
		}
		payers = append(payers, ledger.Part{Member: ledger.Name(name), Amount: paid})
	}
	return payers, nil
}
