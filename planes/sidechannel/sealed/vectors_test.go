package sealed

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"intercom/core/identity"
)

type vector struct {
	Name, Author                                 string
	Key, Channel, KID, Topic, RDV, Inviter, Door string
	Epoch                                        uint64
	Created                                      int64
	Revocations                                  []string
	Record, Frame, Nonce, Envelope               string
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func vectors(t testing.TB) []vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		t.Fatalf("%d vectors, %v", len(list), err)
	}
	return list
}

// The vectors were computed by another implementation of the construction.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		author := someone(v.Author)
		key, ch := Key(unhex(t, v.Key)), ChannelOf(v.Name)
		d := key.Derive(ch)
		for what, pair := range map[string][2][]byte{
			"channel": {ch[:], unhex(t, v.Channel)}, "kid": {d.KID[:], unhex(t, v.KID)},
			"topic": {d.Topic[:], unhex(t, v.Topic)}, "rendezvous": {d.Rendezvous[:], unhex(t, v.RDV)},
		} {
			if !bytes.Equal(pair[0], pair[1]) {
				t.Errorf("%q: %s is %x, want %x", v.Name, what, pair[0], pair[1])
			}
		}
		inviter := identity.PublicKey(unhex(t, v.Inviter))
		if door := Door(v.Name, inviter); !bytes.Equal(door[:], unhex(t, v.Door)) {
			t.Errorf("%q: door %x", v.Name, door)
		}

		var revocations [][]byte
		for _, text := range v.Revocations {
			revocations = append(revocations, []byte(text))
		}
		record := NewRecord(author, ch, v.Epoch, d.KID, HashRevocations(revocations), time.UnixMilli(v.Created))
		if got := record.Encode(); !bytes.Equal(got, unhex(t, v.Record)) {
			t.Errorf("%q: record %x", v.Name, got)
		}
		read, err := DecodeRecord(unhex(t, v.Record))
		if err != nil || read != record || !read.Verify() {
			t.Errorf("%q: read %+v, %v", v.Name, read, err)
		}

		frame, envelope := unhex(t, v.Frame), unhex(t, v.Envelope)
		if got := d.sealWith(unhex(t, v.Nonce), author, frame); !bytes.Equal(got, envelope) {
			t.Errorf("%q: envelope %x", v.Name, got)
		}
		o, err := d.Open(envelope)
		if err != nil || !bytes.Equal(o.Frame, frame) || !o.By(author.PublicKey()) {
			t.Errorf("%q: opened %v, %v", v.Name, o, err)
		}
	}
}
