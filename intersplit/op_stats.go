package intersplit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// StatsParams are the parameters of expense_stats.
type StatsParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Currency *string `json:"currency,omitempty" jsonschema:"only this currency"`
	Date     Range   `json:"date,omitempty" jsonschema:"only these days: 2026, 2026-05, 2026-05-17, or from..to with either side open"`
}

// StatsResult is the result of expense_stats. Payments are no spending.
type StatsResult struct {
	Channel    string        `json:"channel" jsonschema:"channel of the ledger"`
	ByCurrency []Spent       `json:"by_currency" jsonschema:"what was spent"`
	ByMember   []MemberSpent `json:"by_member" jsonschema:"what each member paid, bore, sent and received"`
	ByCategory []Spent       `json:"by_category" jsonschema:"what was spent by category; empty for expenses without one"`
	ByMonth    []Spent       `json:"by_month" jsonschema:"what was spent by month of the expense's date, or of its recording (UTC) when it has none"`
	Joined     bool          `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	Freshness
}

// Spent is what was spent on one thing in one currency.
type Spent struct {
	Name     string `json:"name" jsonschema:"the category or the month (YYYY-MM); the currency in by_currency"`
	Currency string `json:"currency" jsonschema:"ISO 4217 code, a unit of the room, or empty in a room without one"`
	Amount   string `json:"amount" jsonschema:"decimal text; refunds count against it"`
	Expenses int    `json:"expenses" jsonschema:"how many expenses"`
}

// MemberSpent is one member's part in one currency.
type MemberSpent struct {
	Member   string `json:"member" jsonschema:"name of the member"`
	Currency string `json:"currency" jsonschema:"ISO 4217 code, a unit of the room, or empty in a room without one"`
	Paid     string `json:"paid" jsonschema:"what the member paid for expenses"`
	Borne    string `json:"borne" jsonschema:"what the member bore of expenses"`
	Sent     string `json:"sent" jsonschema:"what the member paid to others"`
	Received string `json:"received" jsonschema:"what others paid to the member"`
}

func (r *Rooms) statsOp() *op.Op {
	return op.New(op.Spec[StatsParams, StatsResult]{
		Name: "expense_stats", Owner: owner, Summary: "Sum up spending by currency, member, category and month",
		Notes:  "Expenses count in the currency that they were converted to. Closed ones are included.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Untrusted: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc"}`,
		Run:      r.stats,
		Text:     StatsResult.text,
	})
}

func (r *Rooms) stats(ctx context.Context, in StatsParams) (StatsResult, error) {
	if err := in.Date.checkDays(); err != nil {
		return StatsResult{}, err
	}
	v, err := r.visit(ctx, in.Channel, false)
	if err != nil {
		return StatsResult{}, err
	}
	only, err := v.room.only(in.Currency)
	if err != nil {
		return StatsResult{}, err
	}
	sums := newSums()
	err = v.room.look(func(l *ledger.Ledger) {
		for _, e := range l.Entries() {
			if e.Shown() && e.Body.Kind.Subject() && in.Date.holds(dayOf(e)) {
				sums.add(e, only)
			}
		}
	})
	return StatsResult{
		Channel: v.channel, Freshness: v.fresh, Joined: v.joined, ByCurrency: sums.spent("currency"), ByMember: sums.members(),
		ByCategory: sums.spent("category"), ByMonth: sums.spent("month"),
	}, err
}

// dayOf is the day of an entry: its own date, else when it was recorded.
func dayOf(e *ledger.Entry) string {
	b := e.Merged()
	switch {
	case b.Expense != nil && b.Expense.Date != "":
		return b.Expense.Date
	case b.Payment != nil && b.Payment.Date != "":
		return b.Payment.Date
	}
	return time.UnixMilli(e.TS).UTC().Format(time.DateOnly)
}

type (
	spentKey struct {
		by, name string
		currency money.Currency
	}
	spentSum struct {
		amount   money.Sum
		expenses int
	}
	memberKey struct {
		member   ledger.Name
		currency money.Currency
	}
	memberSum struct{ paid, borne, sent, received money.Sum }
	sums      struct {
		spending map[spentKey]*spentSum
		part     map[memberKey]*memberSum
	}
)

func newSums() *sums {
	return &sums{spending: map[spentKey]*spentSum{}, part: map[memberKey]*memberSum{}}
}

func (s *sums) add(e *ledger.Entry, only *money.Currency) {
	b := e.Current()
	switch {
	case b.Expense != nil:
		s.expense(e, b.Expense, only)
	case b.Payment != nil:
		s.transfer(b.Payment.Transfer, only)
	case b.Settlement != nil:
		for _, t := range b.Settlement.Payments {
			s.transfer(t, only)
		}
	}
}

func (s *sums) expense(e *ledger.Entry, x *ledger.Expense, only *money.Currency) {
	booked, err := x.Booked()
	if err != nil || only != nil && *only != booked.Currency {
		return
	}
	for by, name := range map[string]string{"currency": booked.Currency.Code(), "category": x.Category, "month": dayOf(e)[:len("2006-01")]} {
		key := spentKey{by, name, booked.Currency}
		if s.spending[key] == nil {
			s.spending[key] = &spentSum{}
		}
		s.spending[key].amount = s.spending[key].amount.Plus(money.SumOf(booked.Total))
		s.spending[key].expenses++
	}
	for _, p := range booked.Paid {
		m := s.member(p.Member, booked.Currency)
		m.paid = m.paid.Plus(money.SumOf(p.Amount))
	}
	for _, p := range booked.Borne {
		m := s.member(p.Member, booked.Currency)
		m.borne = m.borne.Plus(money.SumOf(p.Amount))
	}
}

func (s *sums) transfer(t ledger.Transfer, only *money.Currency) {
	if only != nil && *only != t.Currency {
		return
	}
	from, to := s.member(t.From, t.Currency), s.member(t.To, t.Currency)
	from.sent = from.sent.Plus(money.SumOf(t.Amount))
	to.received = to.received.Plus(money.SumOf(t.Amount))
}

func (s *sums) member(name ledger.Name, c money.Currency) *memberSum {
	key := memberKey{name, c}
	if s.part[key] == nil {
		s.part[key] = &memberSum{}
	}
	return s.part[key]
}

func (s *sums) spent(by string) []Spent {
	spent := []Spent{}
	keys := slices.SortedFunc(maps.Keys(s.spending), func(a, b spentKey) int {
		return cmp.Or(strings.Compare(string(a.currency), string(b.currency)), strings.Compare(a.name, b.name))
	})
	for _, k := range keys {
		if k.by == by {
			sum := s.spending[k]
			spent = append(spent, Spent{Name: k.name, Currency: k.currency.Code(), Amount: sum.amount.Format(k.currency), Expenses: sum.expenses})
		}
	}
	return spent
}

func (s *sums) members() []MemberSpent {
	members := []MemberSpent{}
	keys := slices.SortedFunc(maps.Keys(s.part), func(a, b memberKey) int {
		return cmp.Or(strings.Compare(string(a.currency), string(b.currency)), strings.Compare(string(a.member), string(b.member)))
	})
	for _, k := range keys {
		m := s.part[k]
		members = append(members, MemberSpent{
			Member: string(k.member), Currency: k.currency.Code(), Paid: m.paid.Format(k.currency), Borne: m.borne.Format(k.currency),
			Sent: m.sent.Format(k.currency), Received: m.received.Format(k.currency),
		})
	}
	return members
}

func (r StatsResult) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "[expense:%s] spent\n", r.Channel)
	for _, part := range []struct {
		title string
		spent []Spent
	}{{"in all", r.ByCurrency}, {"by category", r.ByCategory}, {"by month", r.ByMonth}} {
		fmt.Fprintf(&out, "- %s:\n", part.title)
		for _, s := range part.spent {
			name := s.Name
			if name == "" {
				name = "-"
			}
			fmt.Fprintf(&out, "  %s: %s (%d)\n", name, withCode(s.Amount, s.Currency), s.Expenses)
		}
	}
	out.WriteString("- by member:\n")
	for _, m := range r.ByMember {
		fmt.Fprintf(&out, "  %s: paid %s, bore %s, sent %s, received %s\n", m.Member, withCode(m.Paid, m.Currency), m.Borne, m.Sent, m.Received)
	}
	out.WriteString(r.spoken())
	return out.String()
}
