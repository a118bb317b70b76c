package format

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// splitwiseColumns begin Splitwise's table ("Export as spreadsheet"); a column per
// member follows, with what the row changed for the member: paid minus borne.
var splitwiseColumns = []string{"date", "description", "category", "cost", "currency"}

// ReadSplitwise reads Splitwise's CSV export. It does not say who paid and who
// bore how much, only the difference. Whoever is better off by a row is taken to
// have paid it; what is left over of the cost they bore themselves. So every
// balance is exact, and with one payer the entry is what it was.
func ReadSplitwise(data []byte, in Context) (*Read, error) {
	t, err := readTable(data, func(cells []string) bool {
		return len(cells) > len(splitwiseColumns) && slices.EqualFunc(cells[:len(splitwiseColumns)], splitwiseColumns, func(cell, name string) bool {
			return strings.EqualFold(strings.TrimSpace(cell), name)
		})
	})
	if err != nil {
		return nil, err
	}
	r := splitwiseReader{table: t, in: in, hashes: hashes{format: "splitwise"}}
	for _, row := range t.rows {
		if strings.EqualFold(t.cell(row, "description"), "Total balance") && strings.TrimSpace(t.cell(row, "cost")) == "" {
			continue // the last line adds up the others
		}
		if err := r.row(row); err != nil {
			return nil, atLine(row.line, err)
		}
	}
	return &r.out, nil
}

type splitwiseReader struct {
	*table
	in     Context
	hashes hashes
	out    Read
}

// net is what a row changed for a member.
type net struct {
	member ledger.Name
	amount money.Minor
}

func (r *splitwiseReader) row(row tableRow) error {
	c, err := r.in.Currency(r.cell(row, "currency"))
	if err != nil {
		return err
	}
	nets, err := r.nets(row, c)
	if err != nil {
		return err
	}
	if len(nets) == 0 {
		r.out.Skipped = append(r.out.Skipped, Skip{row.line, "it changes nothing for anybody"})
		return nil
	}
	date, err := splitwiseDate(r.cell(row, "date"))
	if err != nil {
		return err
	}
	fields := []string{date, r.cell(row, "description"), r.cell(row, "category"), r.cell(row, "cost"), string(c)}
	for _, n := range nets {
		fields = append(fields, string(n.member), n.amount.Format(c))
	}
	source := r.hashes.source(fields...)
	body, err := r.body(row, c, date, source, nets)
	if err == nil {
		r.out.Rows = append(r.out.Rows, Row{Line: row.line, Source: source, Body: body})
	}
	return err
}

// nets reads the members' cells, by name; they add up to zero.
func (r *splitwiseReader) nets(row tableRow, c money.Currency) ([]net, error) {
	var nets []net
	var sum money.Sum
	for i, cell := range row.cells[len(splitwiseColumns):] {
		if strings.TrimSpace(cell) == "" {
			continue
		}
		amount, err := money.Parse(cell, c)
		if err != nil {
			return nil, err
		}
		name, err := ledger.ParseName(unsafe(strings.TrimSpace(r.header[len(splitwiseColumns)+i])))
		if err != nil {
			return nil, err
		}
		sum = sum.Plus(money.SumOf(amount))
		if amount != 0 {
			nets = append(nets, net{name, amount})
		}
	}
	if sum.Sign() != 0 {
		return nil, fault.New(fault.Invalid, "what the members paid and owe differs by %s", sum.Format(c)).
			WithHint("correct the row: nothing is rounded for you")
	}
	slices.SortFunc(nets, func(a, b net) int { return strings.Compare(string(a.member), string(b.member)) })
	return nets, nil
}

// splitwiseDate reads the day, which stands alone or before a time.
func splitwiseDate(cell string) (string, error) {
	date, _, _ := strings.Cut(cell, " ")
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return "", fault.New(fault.Invalid, "date %.40q is not a day", cell).WithHint("write it as YYYY-MM-DD")
	}
	return date, nil
}

func (r *splitwiseReader) body(row tableRow, c money.Currency, date, source string, nets []net) (ledger.Body, error) {
	note := unsafe(r.cell(row, "description"))
	category := unsafe(r.cell(row, "category"))
	if strings.EqualFold(category, "Payment") && len(nets) == 2 {
		from, to := nets[0], nets[1]
		if from.amount < 0 {
			from, to = to, from
		}
		return ledger.NewPayment(ledger.Payment{
			Transfer: ledger.Transfer{From: from.member, To: to.member, Amount: from.amount, Currency: c},
			Date:     date, Note: note, Source: source,
		})
	}
	cost, err := money.Parse(r.cell(row, "cost"), c)
	if err != nil {
		return ledger.Body{}, err
	}
	x := ledger.Expense{Amount: cost, Currency: c, Mode: ledger.Exact, Date: date, Category: category, Note: note, Source: source}
	if err := reconstruct(&x, nets, c); err != nil {
		return ledger.Body{}, err
	}
	return ledger.NewExpense(x)
}

// reconstruct finds payers and shares that change what the row changed.
func reconstruct(x *ledger.Expense, nets []net, c money.Currency) error {
	sign := money.Minor(1)
	if x.Amount < 0 {
		sign = -1 // a refund: who is worse off had the money back
	}
	var better []net
	left := x.Amount.Abs()
	for _, n := range nets {
		if n.amount*sign > 0 {
			better = append(better, n)
			left -= n.amount * sign
		}
	}
	if left < 0 {
		return fault.New(fault.Invalid, "the members are owed %s more than the cost %s", (-left).Format(c), x.Amount.Format(c)).
			WithHint("correct the row: the cost is what was paid in all")
	}
	own := money.Evenly(left, len(better))
	for i, n := range better {
		x.Payers = append(x.Payers, ledger.Part{Member: n.member, Amount: n.amount*sign + own[i]})
	}
	for _, n := range nets {
		share := -n.amount * sign
		if i := slices.Index(better, n); i >= 0 {
			share = own[i]
		}
		if share > 0 {
			x.Split = append(x.Split, ledger.Portion{Member: n.member, Value: share.Format(c)})
		}
	}
	if len(x.Split) == 0 {
		return fmt.Errorf("nobody bears the cost")
	}
	return nil
}
