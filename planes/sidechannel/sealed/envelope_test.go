package sealed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEnvelopeOpensWithItsKeyAlone(t *testing.T) {
	alice, bob := someone("alice"), someone("bob")
	rapid.Check(t, func(t *rapid.T) {
		frame := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "frame")
		ch := ChannelOf(rapid.String().Draw(t, "name"))
		d, other := NewKey().Derive(ch), NewKey().Derive(ch)
		data := d.Seal(alice, frame)
		if len(data) > len(frame)+Overhead {
			t.Fatalf("%d bytes for %d", len(data), len(frame))
		}
		o, err := d.Open(data)
		if err != nil || !bytes.Equal(o.Frame, frame) || !o.By(alice.PublicKey()) || o.By(bob.PublicKey()) {
			t.Fatalf("opened %v, %v", o, err)
		}
		other.KID = d.KID // as if only the seal differed
		if _, err := other.Open(data); err == nil {
			t.Fatal("another key opens it")
		}
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		data[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		if _, err := d.Open(data); err == nil {
			t.Fatalf("byte %d may be altered", at)
		}
	})
}

// A member cannot put another member's frame into an envelope of its own, nor
// move the signature of an envelope to another key.
func TestEnvelopeIsItsAuthors(t *testing.T) {
	alice, mallory := someone("alice"), someone("mallory")
	d := NewKey().Derive(ChannelOf("x"))
	first, err := d.Open(d.Seal(alice, []byte("frame")))
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Open(d.Seal(mallory, first.Frame))
	if err != nil || again.By(alice.PublicKey()) {
		t.Errorf("re-sealed by another: %v", err)
	}
	again.esig = first.esig
	if again.By(alice.PublicKey()) {
		t.Error("the signature fits another nonce")
	}
	next := NewKey().Derive(ChannelOf("x"))
	again, _ = next.Open(next.Seal(mallory, first.Frame))
	if again.esig = first.esig; again.By(alice.PublicKey()) {
		t.Error("the signature fits another key")
	}
}

// sealPlain seals any plaintext, well-formed or not.
func sealPlain(d *Derived, plain []byte) []byte {
	head := append([]byte{envelopeVersion}, d.KID[:]...)
	head = append(head, make([]byte, 24)...)
	return d.seal.Seal(head, head[17:41], plain, d.associated())
}

func TestEnvelopeHasOneForm(t *testing.T) {
	d := NewKey().Derive(ChannelOf("x"))
	plain := func(size, length int) []byte {
		p := make([]byte, size)
		if size >= frontSize {
			binary.BigEndian.PutUint32(p[sigSize:], uint32(length))
		}
		return p
	}
	if _, err := d.Open(sealPlain(&d, plain(256, 188))); err != nil {
		t.Fatal("a full step is refused")
	}
	dirty := plain(256, 10)
	dirty[255] = 1
	for what, p := range map[string][]byte{
		"nothing": nil, "no step": plain(255, 1), "too much padding": plain(512, 188), "a length beyond the end": plain(256, 189),
		"a huge length": plain(256, 1<<32-1), "padding that is not zero": dirty,
	} {
		if _, err := d.Open(sealPlain(&d, p)); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := Key{1}
	d := key.Derive(ChannelOf("x"))
	nonce := make([]byte, 24)
	f.Add(d.sealWith(nonce, someone("alice"), []byte("frame")), true)
	f.Add([]byte{envelopeVersion}, false)
	f.Add(make([]byte, 300), true)
	f.Fuzz(func(t *testing.T, data []byte, inside bool) {
		if inside { // what a member may put in
			data = sealPlain(&d, data)
		}
		o, err := d.Open(data)
		if err != nil {
			return
		}
		plain, _ := d.seal.Open(nil, data[17:41], data[41:], d.associated())
		if want := len(plain)/256*256 - len(o.Frame) - frontSize; want < 0 || want >= step {
			t.Fatalf("a frame of %d in %d", len(o.Frame), len(plain))
		}
	})
}

func TestRingTakesTheGreatestAndKeepsTheOneBefore(t *testing.T) {
	alice := someone("alice")
	ch := ChannelOf("x")
	start := time.Unix(1_700_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		var ring Ring
		now := start
		var best *Record
		for range rapid.IntRange(1, 12).Draw(t, "records") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			key := NewKey()
			rec := NewRecord(alice, ch, rapid.Uint64Range(1, 4).Draw(t, "epoch"), key.Derive(ch).KID, [32]byte{}, now)
			before := ring.Accepted(now)
			var change Change
			ring, change = ring.Take(ch, rec, key, now)
			greater := best == nil || rec.Compare(best) > 0
			if greater != (change == Taken) || (!greater && change != Behind) {
				t.Fatalf("change %d for a record that is greater: %v", change, greater)
			}
			if greater {
				best = &rec
				if accepted := ring.Accepted(now); len(before) > 0 && (len(accepted) != 2 || accepted[1] != before[0]) {
					t.Fatal("the one before is not accepted")
				}
			}
			accepted := ring.Accepted(now)
			if accepted[0].Record != *best || len(accepted) > 2 || len(ring.Accepted(now.Add(Grace))) != 1 {
				t.Fatalf("accepted %d", len(accepted))
			}
			if _, again := ring.Take(ch, *best, ring.Current.Key, now); again != Known {
				t.Fatalf("the current one again: %d", again)
			}
			if _, wrong := ring.Take(ch, *best, key, now); best.KID != rec.KID && wrong != Refused {
				t.Fatal("a record with another's key is taken")
			}
			kept, err := decodeRing(ch, encodeRing(ring))
			if err != nil || kept.Current.Record != ring.Current.Record || kept.Current.Key != ring.Current.Key ||
				(kept.Previous == nil) != (ring.Previous == nil) || !kept.Until.Equal(ring.Until) && ring.Previous != nil {
				t.Fatalf("kept %+v, %v", kept, err)
			}
		}
		next := ring.Next(ch, alice, NewKey(), [32]byte{1}, now)
		if next.Current.Record.Epoch != best.Epoch+1 || !next.Current.Record.Verify() || next.Duty([32]byte{1}, 0, now) != "" {
			t.Fatalf("next %+v", next.Current.Record)
		}
		if next.Duty([32]byte{2}, 0, now) == "" || next.Duty([32]byte{2}, maxRekeys, now) != "" || next.Duty([32]byte{1}, 0, now.Add(MaxKeyAge)) == "" {
			t.Fatal("duties are not seen")
		}
	})
}

func TestKeysAreNeverPrinted(t *testing.T) {
	key := Key{0xde, 0xad, 0xbe, 0xef}
	held := Held{Key: key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%s", "%q", "%d"} {
		for _, value := range []any{key, &key, held, &held, []Key{key}} {
			if text := fmt.Sprintf(verb, value); bytes.Contains([]byte(text), []byte("dead")) || bytes.Contains([]byte(text), []byte("222 173")) ||
				bytes.Contains([]byte(text), []byte("DEAD")) || bytes.Contains([]byte(text), []byte("0xde, 0xad")) {
				t.Errorf("%s of %T: %s", verb, value, text)
			}
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{500, 16_000, 1_000_000} {
		d := NewKey().Derive(ChannelOf("x"))
		alice, frame := someone("alice"), make([]byte, size)
		data := d.Seal(alice, frame)
		b.Run(fmt.Sprintf("seal/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				d.Seal(alice, frame)
			}
		})
		b.Run(fmt.Sprintf("open/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				o, err := d.Open(data)
				if err != nil || !o.By(alice.PublicKey()) {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("refuse/%d", size), func(b *testing.B) { // what a stranger sends on the topic
			wrong := bytes.Clone(data)
			wrong[len(wrong)-1] ^= 1
			for b.Loop() {
				if _, err := d.Open(wrong); err == nil {
					b.Fatal("opened")
				}
			}
		})
	}
}
