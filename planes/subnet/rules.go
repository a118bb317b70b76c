package subnet

import (
	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/planes/subnet/log"
	"intercom/planes/subnet/machine"
)

// rules are the machine as the log wants it.
type rules struct{ *machine.Machine }

func (r rules) Begin(u *merkle.Update, first *feed.Entry, height uint64) error {
	return r.Machine.Begin(u, first, height)
}

func (r rules) Admit(from log.Source, e *feed.Entry) error { return r.Machine.Admit(from, e) }

func (r rules) Apply(u *merkle.Update, e *feed.Entry, height uint64) (log.Outcome, error) {
	o, err := r.Machine.Apply(u, e, height)
	return log.Outcome{Code: o.Code(), Changed: o.Changed, Events: []any{o}}, err
}

func (r rules) Guilty(u *merkle.Update, keys []identity.PublicKey, height uint64) error {
	return r.Machine.Guilty(u, keys, height)
}

func (r rules) Indexers(from log.Source) (set []bft.Validator, err error) {
	list, err := r.Machine.Indexers(from)
	for _, x := range list {
		set = append(set, bft.Validator{Key: x.Key, Power: 1})
	}
	return set, err
}

// outcomeIn takes the machine's outcome out of the log's.
func outcomeIn(o log.Outcome) (machine.Outcome, bool) {
	for _, e := range o.Events {
		if out, ok := e.(machine.Outcome); ok {
			return out, true
		}
	}
	return machine.Outcome{}, false
}
