package machine

import (
	"encoding/json"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// RefusalsKept is how many refused entries the state remembers, the newest ones.
// Blocks keep the codes of all.
const RefusalsKept = 256

// A Refusal says why an entry changed nothing. Its message is part of the state, so
// it is made of our own words alone.
type Refusal struct {
	Entry   string             `json:"entry"`
	Author  identity.PublicKey `json:"author"`
	Kind    string             `json:"kind"` // what the entry would have done
	Error   fault.Kind         `json:"error"`
	Message string             `json:"message"`
	Height  uint64             `json:"height"` // of the block
}

// note records a refusal in place of the oldest.
func (s *state) note(o Outcome) {
	n := s.count("refused")
	text, err := json.Marshal(Refusal{o.Entry.String(), o.Author, o.Kind.String(), o.Refused.Kind, o.Refused.Message, s.height})
	if err != nil {
		panic("a refusal is not JSON: " + err.Error()) // texts and numbers are
	}
	s.setOwn(text, "refused/", []byte{byte(n % RefusalsKept)})
	s.setOwn(u64(n+1), "refused")
}

// Refusals lists the newest refused entries of a state, the newest first, at most
// [RefusalsKept] and at most limit, and tells how many there were in all. An author
// narrows it to its own; a zero key is everybody.
func Refusals(from contract.Source, author identity.PublicKey, limit int) (newest []Refusal, total uint64, err error) {
	v := view{from: from}
	total = v.count("refused")
	for n := total; n > 0 && total-n < RefusalsKept && len(newest) < limit; n-- {
		var r Refusal
		if text := v.own("refused/", []byte{byte((n - 1) % RefusalsKept)}); text == nil || json.Unmarshal(text, &r) != nil {
			break
		}
		if author.IsZero() || r.Author == author {
			newest = append(newest, r)
		}
	}
	return newest, total, v.err
}

// RefusalOf finds the refusal of one entry, as long as it is remembered.
func RefusalOf(from contract.Source, entry feed.ID) (Refusal, bool, error) {
	all, _, err := Refusals(from, identity.PublicKey{}, RefusalsKept)
	for _, r := range all {
		if r.Entry == entry.String() {
			return r, true, err
		}
	}
	return Refusal{}, false, err
}
