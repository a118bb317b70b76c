package bft

import (
	"strings"

	"intercom/core/identity"
)

// Statements signs with a validator's key what is no vote: that the key is
// somebody's, and consents to something. It redacts itself.
type Statements struct{ keys *keys }

// OpenStatements opens the key of the node whose files are in dir, which makes
// them when they are not there. It may be done while the node runs.
func OpenStatements(dir string) (*Statements, error) {
	k, err := openKeys(dir)
	if err != nil {
		return nil, err
	}
	return &Statements{k}, nil
}

// PublicKey is the validator key.
func (s *Statements) PublicKey() identity.PublicKey { return s.keys.public }

// Sign signs a preimage of ours, as canon makes them, whose tag begins with
// "intercom/". Anything else is a bug and panics: it might be a vote, which
// begins with its length, never with a zero.
func (s *Statements) Sign(message []byte) []byte {
	if len(message) < 2 || message[0] != 0 || !strings.HasPrefix(string(message[2:]), "intercom/") {
		panic("bft: a validator key signs statements and votes, nothing else")
	}
	signature, err := s.keys.vote.Key.PrivKey.Sign(message)
	if err != nil {
		panic(err) // an ed25519 key that was read always signs
	}
	return signature
}

func (s *Statements) String() string   { return "bft.Statements{" + s.keys.public.String() + "}" }
func (s *Statements) GoString() string { return s.String() }
