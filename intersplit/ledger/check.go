package ledger

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Limits of an expense. Whatever they admit must also fit [MaxBody].
const (
	MaxSplit    = 256  // members of a split, and payers
	MaxNote     = 1000 // characters of a note
	MaxCategory = 64   // characters of a category, and of a tag
	MaxTags     = 16
	MaxKey      = 128 // bytes of an idempotency key
)

// tidy brings an expense that a caller described into its one canonical form, or
// says what is wrong with it. What it gives back is tidy already, which is how
// [Decode] tells an honest entry from a crafted one.
func (e Expense) tidy() (*Expense, error) {
	if !e.Currency.Valid() {
		return nil, fault.New(fault.Invalid, "currency %q is not a current ISO 4217 code", clip(string(e.Currency)))
	}
	if e.Amount == 0 {
		return nil, fault.New(fault.Invalid, "the amount is zero").WithHint("an expense has an amount; a refund has a negative one")
	}
	if e.Amount > money.Limit || e.Amount < -money.Limit {
		return nil, fault.New(fault.Invalid, "the amount is beyond the limit")
	}
	steps := []func(*Expense) error{tidyRate, tidyPayers, tidySplit, tidyTexts, tidyTags}
	for _, step := range steps {
		if err := step(&e); err != nil {
			return nil, err
		}
	}
	if _, err := e.Booked(); err != nil {
		return nil, err
	}
	return &e, nil
}

func tidyPayers(e *Expense) error {
	if len(e.Payers) == 0 {
		return fault.New(fault.Invalid, "nobody paid").WithHint("name the payer, or payers with their amounts")
	}
	if len(e.Payers) > MaxSplit {
		return tooMany("payers", len(e.Payers), MaxSplit)
	}
	seen := map[Name]bool{}
	payers := make([]Part, 0, len(e.Payers))
	rest := money.SumOf(e.Amount.Abs())
	for _, p := range e.Payers {
		name, err := ParseName(string(p.Member))
		switch {
		case err != nil:
			return err
		case seen[name]:
			return fault.New(fault.Invalid, "payer %q is named twice", name).WithHint("add what one member paid into one amount")
		case p.Amount <= 0:
			return fault.New(fault.Invalid, "payer %q paid %s", name, p.Amount.Format(e.Currency)).
				WithHint("give what each payer paid as a positive amount: for a refund the amount alone is negative")
		}
		seen[name] = true
		payers = append(payers, Part{Member: name, Amount: p.Amount})
		rest = rest.Minus(money.SumOf(p.Amount))
	}
	if rest.Sign() != 0 {
		return missing("the amounts of the payers", rest, e.Currency)
	}
	e.Payers = payers
	return nil
}

func tidySplit(e *Expense) error {
	if len(e.Split) == 0 {
		return fault.New(fault.Invalid, "the split is empty").WithHint(`name who shares it, as in "ann,bob"; a payer bears a share only when listed`)
	}
	if len(e.Split) > MaxSplit {
		return tooMany("members in the split", len(e.Split), MaxSplit)
	}
	if e.Mode == "" {
		e.Mode = Equal
	}
	if !slices.Contains(Modes, e.Mode) {
		return unknownMode(e.Mode)
	}
	first := map[Name]string{}
	split := make([]Portion, 0, len(e.Split))
	for _, portion := range e.Split {
		name, err := ParseName(string(portion.Member))
		if err != nil {
			return err
		}
		value, err := e.tidyValue(name, portion.Value)
		if err != nil {
			return err
		}
		before, repeated := first[name]
		if repeated && before != value {
			return fault.New(fault.Invalid, "%q stands in the split with the values %q and %q", name, before, value).
				WithHint("list every member once")
		}
		if !repeated {
			first[name] = value
			split = append(split, Portion{Member: name, Value: value})
		}
	}
	e.Split = split
	return nil
}

func (e *Expense) tidyValue(name Name, value string) (string, error) {
	if strings.TrimSpace(value) == "" {
		return "", nil
	}
	switch e.Mode {
	case Equal:
		return "", fault.New(fault.Invalid, "%q has the value %q, but the mode is equal", name, clip(value)).
			WithHint("say what the values are with mode: shares, percent or exact")
	case Exact:
		amount, err := parsePart("value", value, e.Currency)
		return amount.Format(e.Currency), err
	case Shares, Percent:
		weight, err := money.ParseWeight(value)
		return weight.String(), err
	default:
		return "", unknownMode(e.Mode)
	}
}

func tidyTexts(e *Expense) error {
	if err := CheckDate(e.Date); err != nil {
		return err
	}
	if err := checkSource(e.Source); err != nil {
		return err
	}
	var err error
	if e.Note, err = tidyText("note", e.Note, MaxNote); err != nil {
		return err
	}
	if e.Category, err = tidyText("category", e.Category, MaxCategory); err != nil {
		return err
	}
	return CheckKey(e.Key)
}

// CheckDate refuses what is neither a day, YYYY-MM-DD, nor empty.
func CheckDate(date string) error {
	if date == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fault.New(fault.Invalid, "date %+q is not a day", clip(date)).WithHint("write it as YYYY-MM-DD")
	}
	return nil
}

// tidyRate checks what an expense is converted to.
func tidyRate(e *Expense) error {
	switch {
	case e.ConvertTo == "" && e.Rate == "":
		return nil
	case e.ConvertTo == "" || e.Rate == "":
		return fault.New(fault.Invalid, "of convert_to and rate one is missing").
			WithHint("give both: rate is how many units of convert_to one unit of the currency is worth")
	case e.Currency == "":
		return fault.New(fault.Invalid, "an amount without a currency cannot be converted").WithHint("name its currency")
	case !e.ConvertTo.Valid():
		return fault.New(fault.Invalid, "currency %q is not a current ISO 4217 code", clip(string(e.ConvertTo)))
	case e.ConvertTo == e.Currency:
		return fault.New(fault.Invalid, "%s is converted to itself", e.Currency.Code()).WithHint("leave out convert_to and rate")
	}
	rate, err := money.ParseRate(string(e.Rate))
	e.Rate = rate
	return err
}

func tidyTags(e *Expense) error {
	if len(e.Tags) > MaxTags {
		return tooMany("tags", len(e.Tags), MaxTags)
	}
	seen := map[string]bool{}
	var tags []string
	for _, raw := range e.Tags {
		tag, err := tidyText("tag", raw, MaxCategory)
		if err != nil {
			return err
		}
		if tag == "" {
			return fault.New(fault.Invalid, "a tag is blank").WithHint("leave blank tags out")
		}
		if !seen[tag] {
			seen[tag] = true
			tags = append(tags, tag)
		}
	}
	e.Tags = tags
	return nil
}

// tidyText trims a text for people. Its case and spelling stay as written.
func tidyText(what, text string, limit int) (string, error) {
	if len(text) > 4*limit+64 {
		return "", tooLong(what, text, limit)
	}
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > limit {
		return "", tooLong(what, text, limit)
	}
	return text, checkText(what, text)
}

// CheckKey refuses an idempotency key that is unfit to be kept. Keys are taken
// to the byte.
func CheckKey(key string) error {
	if len(key) > MaxKey {
		return fault.New(fault.Invalid, "key %+q is too long", clip(key)).WithHint("use at most %d bytes", MaxKey)
	}
	return checkText("key", key)
}

func tooMany(what string, n, limit int) error {
	return fault.New(fault.Limited, "%d %s are too many", n, what).WithHint("use at most %d", limit)
}
