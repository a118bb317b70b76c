package machine

import (
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// Try tells what would come of an entry that somebody wrote now, on a state that is
// then forgotten: so that what must be refused is refused before it is signed. A body
// that breaks a rule is a [fault.Invalid]; the next block's height and the time, ms
// since 1970, are the caller's.
func (m *Machine) Try(on contract.Source, author identity.PublicKey, b Body, height uint64, ts int64) (Outcome, error) {
	body, err := Encode(b)
	if err != nil {
		return Outcome{}, err
	}
	e := &feed.Entry{Feed: FeedOf(m.subnet), Author: author, Parents: []feed.ID{{}}, TS: ts, Body: body}
	return m.Apply(contract.NewDraft(on), e, height)
}

// Simulate runs a command on a state that is then forgotten: what it would return,
// or why it would fail. Nothing is signed or paid. ts is the time to simulate, ms
// since 1970.
func (m *Machine) Simulate(on contract.Source, requester identity.PublicKey, d contract.Dispatch, ts int64) (contract.Result, error) {
	return m.contract.Run(contract.NewDraft(on), contract.Invocation{
		Way: contract.ByTransaction, Name: d.Type, Value: d.Value, Caller: requester, TS: ts,
	})
}
