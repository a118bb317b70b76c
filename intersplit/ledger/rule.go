package ledger

import (
	"encoding/hex"
	"iter"
	"time"

	"intercom/core/fault"
)

// Period is how often a rule's expense comes.
type Period string

// The periods of a rule.
const (
	Daily   Period = "day"
	Weekly  Period = "week"
	Monthly Period = "month"
	Yearly  Period = "year"
)

// Rule is an expense that comes again and again: on First, then every Interval
// periods, up to Last. A rule moves no balance. What is due is booked as expenses
// whose import id is made from the rule and the day, so that it counts once,
// whoever books it and however often.
type Rule struct {
	Expense  *Expense // without date, key and import id
	First    string   // YYYY-MM-DD
	Every    Period
	Interval int    // 1 to MaxInterval
	Last     string // YYYY-MM-DD, or "" for no end
}

// earliest bounds how many days a rule has.
const earliest = "1970-01-01"

// MaxInterval is the most periods between two expenses of a rule.
const MaxInterval = 999

// NewRule checks a rule that a caller described and makes it canonical.
func NewRule(r Rule, key string) (Body, error) {
	if r.Expense == nil {
		return Body{}, fault.New(fault.Invalid, "the rule has no expense")
	}
	if r.Expense.Date != "" || r.Expense.Key != "" || r.Expense.Source != "" {
		return Body{}, fault.New(fault.Invalid, "the expense of a rule has a day, a key or an import id of its own").
			WithHint("give the first day as the rule's")
	}
	tidy, err := r.Expense.tidy()
	if err != nil {
		return Body{}, err
	}
	r.Expense = tidy
	if r.First == "" {
		return Body{}, fault.New(fault.Invalid, "the first day is missing").WithHint("write it as YYYY-MM-DD")
	}
	if err := CheckDate(r.First); err != nil {
		return Body{}, err
	}
	if err := CheckDate(r.Last); err != nil {
		return Body{}, err
	}
	switch {
	case r.First < earliest:
		return Body{}, fault.New(fault.Invalid, "the first day %s is too early", r.First).WithHint("begin on %s or later", earliest)
	case r.Last != "" && r.Last < r.First:
		return Body{}, fault.New(fault.Invalid, "the last day %s is before the first, %s", r.Last, r.First).WithHint("leave it out for no end")
	case r.Interval < 1 || r.Interval > MaxInterval:
		return Body{}, fault.New(fault.Invalid, "an interval of %d", r.Interval).WithHint("use 1 to %d", MaxInterval)
	case r.Every != Daily && r.Every != Weekly && r.Every != Monthly && r.Every != Yearly:
		return Body{}, fault.New(fault.Invalid, "period %q is not known", clip(string(r.Every))).WithHint("use day, week, month or year")
	}
	return Body{Kind: KindRule, Rule: &r, Key: key}, CheckKey(key)
}

// Days visits the days of a rule up to a day. A day that a month does not have is
// its last: the 31st of January is followed by the 28th or 29th of February and
// the 31st of March.
func (r *Rule) Days(upTo string) iter.Seq[string] {
	return func(yield func(day string) bool) {
		first, err := time.Parse(time.DateOnly, r.First)
		if err != nil {
			return // NewRule has checked it
		}
		for n := 0; ; n++ {
			day := r.day(first, n*r.Interval)
			text := day.Format(time.DateOnly)
			if day.Year() > 9999 || text > upTo || r.Last != "" && text > r.Last || !yield(text) {
				return
			}
		}
	}
}

func (r *Rule) day(first time.Time, periods int) time.Time {
	switch r.Every {
	case Daily:
		return first.AddDate(0, 0, periods)
	case Weekly:
		return first.AddDate(0, 0, 7*periods)
	case Yearly:
		periods *= 12
	}
	month := time.Date(first.Year(), first.Month()+time.Month(periods), 1, 0, 0, 0, 0, time.UTC)
	last := month.AddDate(0, 1, -1).Day()
	return month.AddDate(0, 0, min(first.Day(), last)-1)
}

// Instance is the expense of a rule's day. Its import id is the same on every
// peer.
func (r *Rule) Instance(rule ID, day string) Expense {
	x := *r.Expense
	x.Date, x.Source = day, InstanceSource(rule, day)
	return x
}

// InstanceSource is the import id of a rule's day.
func InstanceSource(rule ID, day string) string {
	return "rule/" + hex.EncodeToString(rule[:]) + "/" + day
}
