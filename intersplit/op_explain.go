package intersplit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// ExplainParams are the parameters of expense_explain.
type ExplainParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Member   string  `json:"member" jsonschema:"whose balance it is about"`
	Currency *string `json:"currency,omitempty" jsonschema:"only this currency"`
}

// ExplainResult is the result of expense_explain.
type ExplainResult struct {
	Channel  string    `json:"channel" jsonschema:"channel of the ledger"`
	Member   string    `json:"member" jsonschema:"whose balance it is"`
	Accounts []Account `json:"accounts" jsonschema:"one per currency"`
	Joined   bool      `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	Freshness
}

// Account is why a member stands where it does in one currency.
type Account struct {
	Currency string       `json:"currency" jsonschema:"ISO 4217 code, a unit of the room, or empty in a room without one"`
	Amount   string       `json:"amount" jsonschema:"the balance: what the member is owed; negative is what it owes"`
	Entries  []Moved      `json:"entries" jsonschema:"the entries behind it, in order; what they moved adds up to the balance, with earlier"`
	Dropped  int          `json:"dropped,omitempty" jsonschema:"older entries that are left out"`
	Earlier  string       `json:"earlier,omitempty" jsonschema:"what those that are left out moved"`
	Group    []string     `json:"group" jsonschema:"members whom the plan settles among themselves, this one included; empty when it is even"`
	Payments []Settlement `json:"payments" jsonschema:"the payments of that group"`
}

// Moved is what one entry moved on a member's account.
type Moved struct {
	ID    string `json:"id" jsonschema:"the entry"`
	Kind  string `json:"kind" jsonschema:"expense, payment or settlement"`
	TS    int64  `json:"ts" jsonschema:"when it was recorded, ms since 1970 by its author's clock"`
	Date  string `json:"date,omitempty" jsonschema:"its day"`
	Note  string `json:"note" jsonschema:"what it was for, in its author's words"`
	Moved string `json:"moved" jsonschema:"by how much the balance changed: what the member paid less what it bore or received"`
}

// maxMoved bounds the entries of one account.
const maxMoved = 500

func (r *Rooms) explainOp() *op.Op {
	return op.New(op.Spec[ExplainParams, ExplainResult]{
		Name: "expense_explain", Owner: owner, Summary: "Tell why a member stands where it does, and why the plan has it pay whom",
		Notes:  "Lists the entries behind the balance and the group behind the payments: members who are even among themselves need nobody else.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Common: true, Untrusted: true,
		Synonyms: roomSynonyms, Args: []string{"member"},
		Example: `{"channel":"trip-nyc","member":"bob"}`,
		Run:     r.explain,
		Text:    ExplainResult.text,
	})
}

func (r *Rooms) explain(ctx context.Context, in ExplainParams) (ExplainResult, error) {
	v, err := r.visit(ctx, in.Channel, false)
	if err != nil {
		return ExplainResult{}, err
	}
	only, err := v.room.only(in.Currency)
	if err != nil {
		return ExplainResult{}, err
	}
	out := ExplainResult{Channel: v.channel, Freshness: v.fresh, Joined: v.joined, Accounts: []Account{}}
	var missing error
	s, err := v.room.statement(only, func(l *ledger.Ledger) []Entry {
		var name ledger.Name
		if name, missing = member(l, in.Member); missing == nil {
			out.Member, out.Accounts = string(name), accounts(l, name, only)
		}
		return nil
	})
	if err := orElse(err, missing); err != nil {
		return ExplainResult{}, err
	}
	for i := range out.Accounts {
		out.Accounts[i].group(out.Member, s.settlements())
	}
	return out, nil
}

// accounts gives a member's account in every currency in which it has one.
func accounts(l *ledger.Ledger, name ledger.Name, only *money.Currency) []Account {
	accounts := []Account{}
	for _, c := range l.Currencies() {
		if only != nil && *only != c {
			continue
		}
		a := Account{Currency: c.Code(), Entries: []Moved{}, Group: []string{}, Payments: []Settlement{}}
		var all []Moved
		var amounts []money.Sum
		var balance money.Sum
		l.EachPosting(c, func(e *ledger.Entry, moved []ledger.Balance) {
			i := slices.IndexFunc(moved, func(b ledger.Balance) bool { return b.Member == name })
			if i < 0 {
				return
			}
			said := entryOf(e)
			balance = balance.Plus(moved[i].Amount)
			amounts = append(amounts, moved[i].Amount)
			all = append(all, Moved{
				ID: said.ID, Kind: said.Kind, TS: said.TS, Date: said.Date, Note: said.Note, Moved: moved[i].Amount.Format(c),
			})
		})
		if len(all) == 0 {
			continue
		}
		a.Amount = balance.Format(c)
		if a.Dropped = max(0, len(all)-maxMoved); a.Dropped > 0 {
			var earlier money.Sum
			for _, amount := range amounts[:a.Dropped] {
				earlier = earlier.Plus(amount)
			}
			a.Earlier = earlier.Format(c)
		}
		a.Entries = append(a.Entries, all[a.Dropped:]...)
		accounts = append(accounts, a)
	}
	return accounts
}

// group finds the members whom payments connect with one.
func (a *Account) group(name string, plan []Settlement) {
	group := []string{name}
	for i := 0; i < len(group); i++ {
		for _, p := range plan {
			if p.Currency != a.Currency {
				continue
			}
			for _, pair := range [][2]string{{p.From, p.To}, {p.To, p.From}} {
				if pair[0] == group[i] && !slices.Contains(group, pair[1]) {
					group = append(group, pair[1])
				}
			}
		}
	}
	if len(group) == 1 {
		return
	}
	slices.Sort(group)
	a.Group = group
	for _, p := range plan {
		if p.Currency == a.Currency && slices.Contains(group, p.From) {
			a.Payments = append(a.Payments, p)
		}
	}
}

func (r ExplainResult) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "[expense:%s] %s\n", r.Channel, r.Member)
	for _, a := range r.Accounts {
		fmt.Fprintf(&out, "- balance: %s\n", withCode(signed(a.Amount), a.Currency))
		if a.Dropped > 0 {
			fmt.Fprintf(&out, "  %d earlier entries: %s\n", a.Dropped, signed(a.Earlier))
		}
		for _, e := range a.Entries {
			note := e.Note
			if note == "" {
				note = e.Kind
			}
			fmt.Fprintf(&out, "  %s | %s | %s\n", isoTime(e.TS), signed(e.Moved), note)
		}
		if len(a.Group) > 0 {
			fmt.Fprintf(&out, "- settled among %s:\n", strings.Join(a.Group, ", "))
		}
		for _, p := range a.Payments {
			fmt.Fprintf(&out, "  %s\n", spokenSettlement(p))
		}
	}
	out.WriteString(r.spoken())
	return out.String()
}
