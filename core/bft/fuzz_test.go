package bft

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"time"

	"intercom/core/identity"
)

func fuzzTrust() Trust {
	return Genesis{ChainID: "fuzz", Time: time.Unix(1e9, 0), Validators: []Validator{{Key: identity.PublicKey{1}, Power: 1}}}.Trust()
}

// FuzzDecoders gives the same bytes to every decoder of what others send:
// nothing panics, and nothing forged holds.
func FuzzDecoders(f *testing.F) {
	f.Add([]byte{1})
	f.Add(fuzzTrust().Encode())
	f.Add(fuzzTrust().Sets[0].Validators[0].Key[:])
	f.Add(encodeUpdate(nil, fuzzTrust().Sets[0].Validators))
	f.Add(putBlob(putBlob(putBlob([]byte{1}, nil), nil), []byte("tx")))
	f.Add(putBlob([]byte{0, 0}, nil))
	f.Add(putBlob(putBlob([]byte{1}, []byte("next")), []byte("piece")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		trust := fuzzTrust()
		if _, err := Verify(trust, raw); err == nil {
			t.Error("a forged proof holds")
		}
		if _, err := Advance(trust, raw); err == nil {
			t.Error("a forged update holds")
		}
		if _, err := VerifyHeader(trust, raw); err == nil {
			t.Error("a forged header holds")
		}
		if tr, err := ParseTrust(raw); err == nil && !bytes.Equal(tr.Encode(), raw) {
			t.Error("a trust has two encodings")
		}
		_, _, _, _ = decodeBlock(raw)
		_, _ = decodeTip(raw)
		if _, err := VerifyListing(trust, raw); err == nil {
			t.Error("a forged block holds")
		}
		_, _ = decodeResult(raw)
		if piece, next, err := decodePiece(raw); err == nil && next != nil && (len(piece) == 0 || len(next) == 0) {
			t.Error("a piece that leads nowhere is taken")
		}
		if g, err := ParseGenesis(raw); err == nil {
			if again, err := ParseGenesis(g.Encode()); err != nil || again.Hash() != g.Hash() {
				t.Errorf("a genesis does not survive its encoding: %v", err)
			}
		}
	})
}

// FuzzFrames reads frames of anything: what is read stays within the limit and
// is what was written.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1})
	f.Add([]byte{0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		for {
			head, body, err := readFrame(r, func(byte) int { return 64 })
			if err != nil {
				return
			}
			var again bytes.Buffer
			if err := writeFrame(&again, head, body); err != nil || len(body) > 64 {
				t.Fatal(err, len(body))
			}
			at := len(raw) - r.Len()
			if !bytes.Equal(again.Bytes(), raw[at-again.Len():at]) {
				t.Fatal("a frame has two encodings")
			}
		}
	})
}

// conversation is a stream that says what was prepared and swallows answers.
type conversation struct {
	io.Reader
	io.Writer
}

// FuzzServe asks a node that does not run: every request is answered or ends
// the stream, nothing panics.
func FuzzServe(f *testing.F) {
	f.Add([]byte{0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 3, 5, 'h', 'i'})
	f.Add([]byte{0, 0, 0, 6, 6, 0, 0, 0, 1, 'p'})
	f.Add([]byte{0, 0, 0, 1, 7})
	f.Add([]byte{0, 0, 0, 10, 8, 0, 0, 0, 0, 0, 0, 0, 1, 'k'})
	n := &Node{log: slog.New(slog.DiscardHandler), cfg: Config{Genesis: Genesis{ChainID: "fuzz"}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = n.Serve(t.Context(), conversation{bytes.NewReader(raw), io.Discard})
	})
}
