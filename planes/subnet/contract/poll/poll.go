// Package poll is an example of a contract, to start one's own from: anybody opens a
// question with a few answers and a deadline, everybody answers once, and
// the timer's feature tells when it is closed.
//
// State:
//
//	currentTime                 ms since 1970, as the timer's feature said last
//	poll/<id>                   [Poll]
//	vote/<id>/<voter>           the answer's index
//
// It shows what contracts are made of: typed functions, a feature, a message
// handler, a collection, ids, failures that change nothing, and work that is bounded.
package poll

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"intercom/planes/subnet/contract"
)

//go:embed *.go
var sources embed.FS

// A Poll is one question.
type Poll struct {
	Question string   `json:"question"`
	Answers  []string `json:"answers"`
	Votes    []int    `json:"votes"` // of each answer
	By       string   `json:"by"`
	Closes   int64    `json:"closes"` // ms since 1970 on the timer; 0 for never
}

type opening struct {
	Question string   `json:"question" rule:"min=1 max=200" about:"what is asked"`
	Answers  []string `json:"answers" rule:"min=2 max=10" about:"what one can answer"`
	Closes   int64    `json:"closes,omitempty" rule:"min=0" about:"when it closes, ms since 1970 on the timer; left out for never"`
}

type vote struct {
	Poll   string `json:"poll" rule:"min=32 max=32" about:"the id that opening gave"`
	Answer int    `json:"answer" rule:"min=0 max=9" about:"the answer's place in the list, from 0"`
}

type page struct {
	After string `json:"after,omitempty" about:"the last id of the page before"`
}

// New makes the contract.
func New() *contract.Contract {
	c := contract.New("poll", 1)
	c.Sources(sources)
	c.Collection("poll/")
	contract.Function(c, "open", "ask a question", open)
	contract.Function(c, "vote", "answer a question, once", cast)
	contract.Function(c, "polls", "list questions, a hundred at a time", list)
	contract.Feature(c, "timer", "keep the time, and close what is due", tick)
	c.OnMessage(decent)
	c.Commands(command)
	return c
}

func open(call *contract.Call, in opening) (any, error) {
	p := Poll{
		Question: in.Question, Answers: in.Answers, Votes: make([]int, len(in.Answers)),
		By: call.Caller().String(), Closes: in.Closes,
	}
	if p.closed(call) {
		return nil, errors.New("it would be closed already")
	}
	id := call.ID()
	call.Put("poll/"+id, p)
	return map[string]string{"poll": id}, nil
}

func cast(call *contract.Call, in vote) (any, error) {
	var p Poll
	if !call.Read("poll/"+in.Poll, &p) {
		return nil, fmt.Errorf("there is no poll %s", in.Poll)
	}
	mine := fmt.Sprintf("vote/%s/%s", in.Poll, call.Caller())
	switch {
	case p.closed(call):
		return nil, errors.New("the poll is closed")
	case in.Answer >= len(p.Answers):
		return nil, fmt.Errorf("there is no answer %d", in.Answer)
	case call.Get(mine) != nil:
		return nil, errors.New("you answered already")
	}
	p.Votes[in.Answer]++
	call.Put("poll/"+in.Poll, p)
	call.Put(mine, in.Answer)
	return p, nil
}

// list is bounded, as everything in a contract has to be: who wants more goes on
// behind the last id.
func list(call *contract.Call, in page) (any, error) {
	ids, after := []string{}, ""
	if in.After != "" {
		after = "poll/" + in.After
	}
	call.Each("poll/", after, func(key string, _ json.RawMessage) bool {
		ids = append(ids, strings.TrimPrefix(key, "poll/"))
		return len(ids) < 100
	})
	return ids, nil
}

// tick is called by the admin's timer. What it gives is replicated data, so a poll
// closes at the same vote on every peer. It does not visit the polls: they may be
// more than a call can.
func tick(call *contract.Call, key string, ms int64) error {
	if key != "currentTime" || ms < now(call) {
		return errors.New("the timer gives currentTime, which never goes back")
	}
	call.Put(key, ms)
	return nil
}

func (p Poll) closed(call *contract.Call) bool { return p.Closes > 0 && now(call) >= p.Closes }

func now(call *contract.Call) (ms int64) {
	call.Read("currentTime", &ms)
	return ms
}

func decent(_ *contract.Call, m contract.Message) error {
	if strings.Contains(m.Text, "BUY NOW") {
		return errors.New("no advertising here")
	}
	return nil
}

// command reads what people type after /tx --command: a function and its input.
func command(text string) (name string, value any, err error) {
	name, rest, _ := strings.Cut(text, " ")
	if strings.TrimSpace(rest) == "" {
		return name, nil, nil
	}
	if !json.Valid([]byte(rest)) {
		return "", nil, errors.New(`write the function and its input, as in: vote {"poll":"…","answer":0}`)
	}
	return name, json.RawMessage(rest), nil
}
