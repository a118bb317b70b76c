package intersplit

import (
	"cmp"
	"context"
	"strings"

	"intercom/intersplit/format"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// importRows makes an entry of each row that the room does not know.
func (r *Rooms) importRows(ctx context.Context, rm *room, in ImportParams, data []byte, out *ImportResult) error {
	out.Way = WayRows
	var bodies []ledger.Body
	var err error
	lookErr := rm.look(func(l *ledger.Ledger) {
		var read *format.Read
		if read, err = in.read(l, data); err == nil {
			out.Skipped = append(out.Skipped, read.Skipped...)
			bodies, err = out.compare(l, read.Rows, bool(in.Update), r)
		}
	})
	if err := cmp.Or(lookErr, err); err != nil || out.DryRun {
		return err
	}
	const batch = 1000
	for len(bodies) > 0 {
		n := min(len(bodies), batch)
		_, sent, err := r.recordAll(ctx, rm, bodies[:n])
		if err != nil {
			return err
		}
		out.SentTo, bodies = max(out.SentTo, sent), bodies[n:]
	}
	return nil
}

// compare holds rows against the room: it counts them, and gives what is to be
// recorded.
func (out *ImportResult) compare(l *ledger.Ledger, rows []format.Row, update bool, r *Rooms) ([]ledger.Body, error) {
	var units, fresh, edits []ledger.Body
	declared := map[money.Currency]bool{}
	inFile := map[string]bool{}
	for i := range rows {
		row := &rows[i]
		e := imported(l, row.Source)
		switch {
		case e == nil && inFile[row.Source]:
			out.Known++
		case e == nil:
			inFile[row.Source] = true
			out.New++
			out.show(row, "new", "", l, r)
			fresh = append(fresh, row.Body)
			for _, c := range currenciesOf(&row.Body) {
				if !c.IsUnit() || declared[c] {
					continue
				}
				declared[c] = true
				if known, is := l.Unit(c.Code()); !is || known != c {
					unit, err := ledger.NewUnit(c.Code(), c.Decimals(), "")
					if err != nil {
						return nil, err
					}
					units = append(units, unit)
				}
			}
		case !e.Shown():
			out.Gone++
		case sameContent(l, &row.Body, e):
			out.Known++
		default:
			out.Changed++
			out.show(row, "changed", idText(e.ID), l, r)
			if edit, can := editOf(e, &row.Body); update && can {
				edits = append(edits, edit)
			}
		}
	}
	return append(append(units, fresh...), edits...), nil
}

func (out *ImportResult) show(row *format.Row, status, id string, l *ledger.Ledger, r *Rooms) {
	if len(out.Rows) < maxImportRows { // a preview costs
		out.row(ImportRow{Row: row.Line, Status: status, ID: id, Entry: entryOf(l.Preview(r.self, r.now().UnixMilli(), row.Body))})
	}
}

// imported finds the entry of an import id; an export of this room comes back with
// its own entries' ids.
func imported(l *ledger.Ledger, source string) *ledger.Entry {
	if e, known := l.BySource(source); known {
		return e
	}
	id, own := strings.CutPrefix(source, ledger.SourceOf(""))
	var at ledger.ID
	if !own || at.UnmarshalText([]byte(id)) != nil {
		return nil
	}
	e, known := l.ByID(at)
	if !known {
		return nil
	}
	if listed := e.Listed(); listed != nil {
		return listed
	}
	return e
}

// sameContent says whether a row and an entry as it is now say the same, each
// under the names of now.
func sameContent(l *ledger.Ledger, row *ledger.Body, e *ledger.Entry) bool {
	a, errA := bare(l, row).Encode()
	now := e.Current()
	b, errB := bare(l, &now).Encode()
	return errA == nil && errB == nil && string(a) == string(b)
}

// bare is a body without its key and import id.
func bare(l *ledger.Ledger, b *ledger.Body) ledger.Body {
	plain := *b
	plain.Key = ""
	switch {
	case b.Expense != nil:
		x := *b.Expense
		x.Key, x.Source = "", ""
		x.Payers, x.Split = append([]ledger.Part(nil), x.Payers...), append([]ledger.Portion(nil), x.Split...)
		for i := range x.Payers {
			x.Payers[i].Member = l.NameOf(x.Payers[i].Member)
		}
		for i := range x.Split {
			x.Split[i].Member = l.NameOf(x.Split[i].Member)
		}
		plain.Expense = &x
	case b.Payment != nil:
		p := *b.Payment
		p.Key, p.Source = "", ""
		p.From, p.To = l.NameOf(p.From), l.NameOf(p.To)
		plain.Payment = &p
	case b.Settlement != nil:
		s := ledger.Settlement{Note: b.Settlement.Note}
		for _, t := range b.Settlement.Payments {
			t.From, t.To = l.NameOf(t.From), l.NameOf(t.To)
			s.Payments = append(s.Payments, t)
		}
		plain.Settlement = &s
	}
	return plain
}

// editOf makes an entry say what a row says; not of another kind, nor a
// settlement or what is closed.
func editOf(e *ledger.Entry, row *ledger.Body) (ledger.Body, bool) {
	if e.Body.Kind != row.Kind || e.Closed() {
		return ledger.Body{}, false
	}
	edit := ledger.Edit{Target: e.ID, After: e.Known()}
	switch {
	case row.Expense != nil:
		x := *row.Expense
		tags := append([]string{}, x.Tags...)
		edit.Note, edit.Date, edit.Category, edit.Tags, edit.Money = &x.Note, &x.Date, &x.Category, &tags, &x
	case row.Payment != nil:
		p := *row.Payment
		edit.Note, edit.Date, edit.Transfer = &p.Note, &p.Date, &p.Transfer
	default:
		return ledger.Body{}, false
	}
	body, err := ledger.NewEdit(edit, "")
	return body, err == nil
}

func currenciesOf(b *ledger.Body) []money.Currency {
	switch {
	case b.Expense != nil:
		return []money.Currency{b.Expense.Currency, b.Expense.ConvertTo}
	case b.Payment != nil:
		return []money.Currency{b.Payment.Currency}
	case b.Settlement != nil:
		var all []money.Currency
		for _, t := range b.Settlement.Payments {
			all = append(all, t.Currency)
		}
		return all
	}
	return nil
}
