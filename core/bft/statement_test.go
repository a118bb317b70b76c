package bft_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"intercom/core/bft"
	"intercom/core/canon"
)

func TestValidatorKeySignsStatementsAndNoVotes(t *testing.T) {
	dir := t.TempDir()
	s, err := bft.OpenStatements(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := bft.ValidatorKey(dir)
	if err != nil || key != s.PublicKey() {
		t.Fatalf("the key is %s, not %s: %v", s.PublicKey(), key, err)
	}
	statement := canon.Preimage("intercom/test/v1", []byte("I consent"))
	if !ed25519.Verify(key[:], statement, s.Sign(statement)) {
		t.Error("the signature does not hold")
	}
	if text := fmt.Sprintf("%v %+v %#v", s, s, s); text != fmt.Sprintf("%v %v %v", s, s, s) {
		t.Errorf("printed as %s", text)
	}
	for _, other := range []string{"", "\x00", "\x08\x02intercom/", "\x6e\x08\x02\x11", "\x00\x10other/tag"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was signed", other)
				}
			}()
			s.Sign([]byte(other))
		}()
	}
}
