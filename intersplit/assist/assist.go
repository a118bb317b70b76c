// Package assist reads sentences about shared expenses: a small fixed grammar,
// no model.
//
// It guarantees that the same sentence in the same room always means the same
// operation, and that nothing is guessed: where a name, an amount, a currency or
// who shares it can be read in two ways, the answer is a question with the
// sentences that would settle it. It calls nothing; what was understood is for
// others to run.
package assist

import (
	"errors"
	"strings"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Room is what a sentence may refer to.
type Room struct {
	Members    []string         // who is known, in their one spelling
	Left       []string         // of these, who has left: not meant by everyone
	Currencies []money.Currency // in use
	Last       *Entry           // the last entry that is listed; nil when there is none
	LastSplit  *Split           // of the last expense; nil when there is none
}

// Entry is an entry that a sentence may refer to.
type Entry struct{ ID string }

// Split is who shares an expense, as expense_add reads it.
type Split struct {
	Mode  string
	Lines []Line
}

// Line is a member with a value, or without one.
type Line struct {
	Member string `json:"member"`
	Value  string `json:"value,omitempty"`
}

// payer is what one member paid.
type payer struct {
	Member string `json:"member"`
	Amount string `json:"amount"`
}

// Understood is what a sentence means. With a question it is what was understood
// so far, and nothing to run.
type Understood struct {
	Operation string         // "" when the question comes first
	Params    map[string]any // of the operation, but for the channel
	Question  string
	Choices   []string // sentences that answer the question
	New       []string // members that the room does not know yet
}

// ask is a question in place of an answer.
type ask struct {
	question string
	choices  []string
}

func (a *ask) Error() string { return a.question }

func question(text string, choices ...string) error { return &ask{text, choices} }

// Parse understands one sentence in a room.
func Parse(text string, room Room) (Understood, error) {
	list, err := tokens(text)
	if err != nil {
		return Understood{}, err
	}
	s := &sentence{text: text, list: list, room: room, draft: Understood{Params: map[string]any{}}}
	err = s.understand()
	var doubt *ask
	if errors.As(err, &doubt) {
		s.draft.Question, s.draft.Choices = doubt.question, doubt.choices
		return s.draft, nil
	}
	if err != nil {
		return Understood{}, err
	}
	return s.draft, nil
}

// sentence is one that is being read.
type sentence struct {
	text  string
	list  []token
	at    int
	room  Room
	draft Understood
}

func (s *sentence) understand() error {
	if done, err := s.command(); done || err != nil {
		return err
	}
	return s.entry()
}

func (s *sentence) unknown() error {
	return fault.New(fault.Invalid, "the sentence %.200q is not understood", s.text).
		WithHint("say it like one of these: %s", strings.Join(Examples, " · "))
}

// Examples are sentences of each form.
var Examples = []string{
	"add alice 30 split alice,bob note dinner",
	"dinner 48 alice with bob, cleo",
	"ann paid 50 and ben paid 20 for taxi",
	"alice paid bob back 25",
	"rent 1200 paid by ann: ann 500, ben 400, cleo 300",
	"wine 30 paid by ann, ann 2 shares, ben 1",
	"refund 20 to ann, same split",
	"balance", "who owes what", "why does bob owe", "settle", "undo", "delete last", "export csv",
}

// more says whether there is another token, word whether it is one of some words.
func (s *sentence) more() bool { return s.at < len(s.list) }

func (s *sentence) peek() token {
	if s.more() {
		return s.list[s.at]
	}
	return token{}
}

func (s *sentence) word(words ...string) bool {
	t := s.peek()
	if !s.more() || t.quoted {
		return false
	}
	for _, w := range words {
		if t.word == w {
			return true
		}
	}
	return false
}

// skip passes over one of some words, if it is there.
func (s *sentence) skip(words ...string) bool {
	if s.word(words...) {
		s.at++
		return true
	}
	return false
}

// rest is what is left of the sentence, as it was written.
func (s *sentence) rest() string {
	if !s.more() {
		return ""
	}
	from := s.list[s.at].from
	s.at = len(s.list)
	return strings.TrimSpace(s.text[from:])
}

func (s *sentence) set(name string, value any) { s.draft.Params[name] = value }
