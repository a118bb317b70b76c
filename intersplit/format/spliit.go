package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// The parts of Spliit's JSON export that make a ledger. What else is in it, such
// as the log of activities, is passed over.
type (
	spliitGroup struct {
		Currency     string                 `json:"currency"`
		CurrencyCode string                 `json:"currencyCode"`
		Expenses     rowList[spliitExpense] `json:"expenses"`
		Participants []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"participants"`
	}
	spliitExpense struct {
		ID          string      `json:"id"` // newer exports have one
		CreatedAt   string      `json:"createdAt"`
		ExpenseDate string      `json:"expenseDate"`
		Title       string      `json:"title"`
		Amount      json.Number `json:"amount"` // minor units
		PaidByID    string      `json:"paidById"`
		PaidFor     []struct {
			ParticipantID string      `json:"participantId"`
			Shares        json.Number `json:"shares"`
		} `json:"paidFor"`
		IsReimbursement bool   `json:"isReimbursement"`
		SplitMode       string `json:"splitMode"`
		Notes           string `json:"notes"`
		Category        *struct {
			Name string `json:"name"`
		} `json:"category"`
	}
)

// ReadSpliit reads Spliit's JSON export.
func ReadSpliit(data []byte, in Context) (*Read, error) {
	var group spliitGroup
	if err := readJSON(data, &group); err != nil {
		return nil, err
	}
	if group.Expenses == nil || group.Participants == nil {
		return nil, fault.New(fault.Invalid, "the data are no export of a Spliit group").WithHint("give the JSON file with expenses and participants")
	}
	r := spliitReader{names: map[string]ledger.Name{}, hashes: hashes{format: "spliit"}}
	for _, p := range group.Participants {
		if _, twice := r.names[p.ID]; twice {
			return nil, fault.New(fault.Invalid, "two participants have the id %.60q", p.ID).WithHint("export the group again")
		}
		r.names[p.ID] = ledger.Name(p.Name)
	}
	var err error
	if r.currency, r.decimals, err = spliitCurrency(&group, in); err != nil {
		return nil, err
	}
	for i := range group.Expenses {
		if err := r.expense(i+1, &group.Expenses[i]); err != nil {
			return nil, atLine(i+1, err)
		}
	}
	return &r.out, nil
}

// readJSON reads one JSON value and nothing behind it.
func readJSON(data []byte, into any) error {
	if err := checkData(data); err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if err := in.Decode(into); err != nil {
		if known := (*fault.Error)(nil); errors.As(err, &known) {
			return known
		}
		return fault.New(fault.Invalid, "the data are not the JSON of this format: %v", err).WithHint("give the exported file as it is")
	}
	if in.More() {
		return fault.New(fault.Invalid, "there is more behind the JSON value").WithHint("give the exported file as it is")
	}
	return nil
}

// spliitCurrency is the group's currency and how many decimals its amounts have: a
// group has a code, or only a sign, which says two decimals and not which currency.
func spliitCurrency(g *spliitGroup, in Context) (c money.Currency, decimals int, err error) {
	switch {
	case g.CurrencyCode != "":
		c, err = money.ParseCurrency(g.CurrencyCode)
		return c, c.Decimals(), err
	case in.Default != nil:
		return *in.Default, 2, nil
	case strings.TrimSpace(g.Currency) == "€":
		return "EUR", 2, nil
	}
	if c, err := money.ParseCurrency(g.Currency); err == nil && c != "" {
		return c, 2, nil
	}
	return "", 0, fault.New(fault.Invalid, "the group counts in %.20q, which is no code", g.Currency).
		WithHint(`say which currency it is with currency; "" is none`)
}

type spliitReader struct {
	names    map[string]ledger.Name
	currency money.Currency
	decimals int
	hashes   hashes
	out      Read
}

func (r *spliitReader) name(id string) (ledger.Name, error) {
	name, known := r.names[id]
	if !known {
		return "", fault.New(fault.Invalid, "%.60q is no participant", id).WithHint("export the group again")
	}
	return name, nil
}

// amount reads minor units of the export.
func (r *spliitReader) amount(minor json.Number) (money.Minor, error) {
	digits, negative := strings.CutPrefix(minor.String(), "-")
	if strings.Trim(digits, "0123456789") != "" || digits == "" || len(digits) > 20 {
		return 0, fault.New(fault.Invalid, "amount %.40q is no whole number of minor units", minor.String()).WithHint("export the group again")
	}
	if missing := r.decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, frac := digits[:len(digits)-r.decimals], digits[len(digits)-r.decimals:]
	if len(frac) > r.currency.Decimals() && strings.Trim(frac[r.currency.Decimals():], "0") == "" {
		frac = frac[:r.currency.Decimals()]
	}
	text := whole
	if frac != "" {
		text += "." + frac
	}
	if negative {
		text = "-" + text
	}
	return money.Parse(text, r.currency)
}

func (r *spliitReader) expense(place int, e *spliitExpense) error {
	payer, err := r.name(e.PaidByID)
	if err != nil {
		return err
	}
	amount, err := r.amount(e.Amount)
	if err != nil {
		return err
	}
	date, _, _ := strings.Cut(e.ExpenseDate, "T")
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fault.New(fault.Invalid, "date %.40q is not a day", e.ExpenseDate).WithHint("export the group again")
	}
	source := "spliit:" + e.ID
	if e.ID == "" {
		fields := []string{e.CreatedAt, date, e.Title, e.Amount.String(), e.PaidByID, e.SplitMode}
		for _, p := range e.PaidFor {
			fields = append(fields, p.ParticipantID, p.Shares.String())
		}
		source = r.hashes.source(fields...)
	}
	var body ledger.Body
	if e.IsReimbursement && len(e.PaidFor) == 1 {
		body, err = r.payment(e, payer, amount, date, source)
	} else {
		body, err = r.spent(e, payer, amount, date, source)
	}
	if err == nil {
		r.out.Rows = append(r.out.Rows, Row{Line: place, Source: source, Body: body})
	}
	return err
}

func (r *spliitReader) payment(e *spliitExpense, from ledger.Name, amount money.Minor, date, source string) (ledger.Body, error) {
	to, err := r.name(e.PaidFor[0].ParticipantID)
	if err != nil {
		return ledger.Body{}, err
	}
	if amount < 0 {
		from, to, amount = to, from, -amount
	}
	return ledger.NewPayment(ledger.Payment{
		Transfer: ledger.Transfer{From: from, To: to, Amount: amount, Currency: r.currency}, Date: date, Note: said(e), Source: source,
	})
}

// said is the title with the notes behind it, on one line.
func said(e *spliitExpense) string {
	text := e.Title
	if strings.TrimSpace(e.Notes) != "" {
		text += ": " + e.Notes
	}
	return strings.Join(strings.Fields(text), " ")
}

func (r *spliitReader) spent(e *spliitExpense, payer ledger.Name, amount money.Minor, date, source string) (ledger.Body, error) {
	x := ledger.Expense{
		Amount: amount, Currency: r.currency, Payers: []ledger.Part{{Member: payer, Amount: amount.Abs()}},
		Date: date, Note: said(e), Source: source,
	}
	if e.Category != nil {
		x.Category = e.Category.Name
	}
	modes := map[string]ledger.Mode{"EVENLY": ledger.Equal, "BY_SHARES": ledger.Shares, "BY_PERCENTAGE": ledger.Percent, "BY_AMOUNT": ledger.Exact}
	mode, known := modes[e.SplitMode]
	if !known {
		return ledger.Body{}, fault.New(fault.Invalid, "split mode %.40q is not known", e.SplitMode).WithHint("export the group again")
	}
	x.Mode = mode
	for _, p := range e.PaidFor {
		name, err := r.name(p.ParticipantID)
		if err != nil {
			return ledger.Body{}, err
		}
		value, err := r.value(mode, p.Shares)
		if err != nil {
			return ledger.Body{}, err
		}
		x.Split = append(x.Split, ledger.Portion{Member: name, Value: value})
	}
	return ledger.NewExpense(x)
}

// value is a share of the export: hundredths of a share or of a percent, or minor
// units.
func (r *spliitReader) value(mode ledger.Mode, shares json.Number) (string, error) {
	switch mode {
	case ledger.Equal:
		return "", nil
	case ledger.Exact:
		amount, err := r.amount(shares)
		return amount.Abs().Format(r.currency), err
	}
	n, err := strconv.ParseUint(shares.String(), 10, 40)
	if err != nil {
		return "", fault.New(fault.Invalid, "share %.40q is no whole number", shares.String()).WithHint("export the group again")
	}
	return money.SumOf(money.Minor(n)).Format(""), nil // two decimals, as hundredths have
}
