package intersplit

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// standing is the body of an entry about whose entries count. The ledger knows
// nothing of it: it changes no balance by itself.
//
//   - join carries the invite of its author, whose entries count from then on,
//     as long as the invite lives.
//   - revoke, by an inviter, ends that: what is in keep or behind it counts for
//     ever, the author's other entries never.
type standing struct {
	Author string `json:"author,omitempty"` // of a revoke: the key, hex
	Invite string `json:"invite,omitempty"` // of a join: base64
	Keep   string `json:"keep,omitempty"`   // of a revoke: an entry's id, none when nothing is kept
	Kind   string `json:"kind"`
	V      int    `json:"v"`
}

const (
	kindJoin   = "join"
	kindRevoke = "revoke"
)

func joinBody(invite []byte) ([]byte, error) {
	return json.Marshal(standing{Invite: base64.StdEncoding.EncodeToString(invite), Kind: kindJoin, V: 1})
}

func revokeBody(author identity.PublicKey, keep feed.ID) ([]byte, error) {
	s := standing{Author: author.String(), Kind: kindRevoke, V: 1}
	if keep != (feed.ID{}) {
		s.Keep = keep.String()
	}
	return json.Marshal(s)
}

// mayStand tells quickly of most bodies that they are about something else.
func mayStand(body []byte) bool {
	return bytes.Contains(body, []byte(`"kind":"join"`)) || bytes.Contains(body, []byte(`"kind":"revoke"`))
}

// readStanding reads a join or a revoke in its one form; ok is false for any
// other body.
func readStanding(body []byte) (s standing, ok bool) {
	if !mayStand(body) || json.Unmarshal(body, &s) != nil {
		return standing{}, false
	}
	again, err := json.Marshal(s)
	join := s.Kind == kindJoin && s.Author == "" && s.Keep == ""
	revoke := s.Kind == kindRevoke && s.Invite == ""
	return s, err == nil && s.V == 1 && (join || revoke) && bytes.Equal(again, body)
}

// invite is the invite that a join carries.
func (s standing) invite() ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s.Invite)
	return raw, err == nil && len(raw) > 0
}

// revoked is whom a revoke names, and what it keeps.
func (s standing) revoked() (author identity.PublicKey, keep feed.ID, ok bool) {
	raw, err := hex.DecodeString(s.Author)
	if err != nil || len(raw) != len(author) {
		return author, keep, false
	}
	if s.Keep != "" {
		if keep, err = feed.ParseID(s.Keep); err != nil {
			return author, keep, false
		}
	}
	return identity.PublicKey(raw), keep, true
}

// terms are what two members must agree on before they exchange entries: who
// counts. Nothing for an open channel.
func (p Policy) terms() []byte {
	switch {
	case !p.Owner.IsZero():
		return []byte("owner " + p.Owner.String())
	case p.InviteOnly:
		text := []byte("inviters")
		for _, key := range p.inviters() {
			text = append(append(text, ' '), key.String()...)
		}
		return text
	}
	return nil
}

// inviters are the inviters in order, each once, as many as terms hold.
func (p Policy) inviters() []identity.PublicKey {
	sorted := slices.SortedFunc(slices.Values(p.Inviters), func(a, b identity.PublicKey) int { return bytes.Compare(a[:], b[:]) })
	sorted = slices.Compact(sorted)
	return sorted[:min(len(sorted), maxInviters)]
}

// maxInviters is how many inviters a channel's ledger has: their list must fit a
// greeting (core/feed).
const maxInviters = 60

// agree compares the terms of another member with this peer's.
func (p Policy) agree(channel string, theirs []byte) error {
	ours := p.terms()
	if bytes.Equal(ours, theirs) {
		return nil
	}
	say := func(terms []byte) string {
		if len(terms) == 0 {
			return "everyone"
		}
		return string(terms)
	}
	return fault.New(fault.Conflict, "in channel %q others count there than here: %.300q there, %.300q here", channel, say(theirs), say(ours)).
		WithHint("give all members of the channel the same owner and inviters")
}
