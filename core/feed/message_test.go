package feed

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/identity"
)

// samples is one message of each kind.
func samples() []message {
	e := chain(1, 2)
	s := span{e[0].Position(), e[1].Position()}
	return []message{
		hello{stage, [32]byte{1}, []byte("terms")},
		welcome{same: true, terms: []byte("terms")},
		welcome{first: answer{listed: []Position{e[0].Position()}}},
		compare{[]span{s, {e[1].Position(), end}}},
		answers{[]answer{{pieces: []piece{{hi: Position{Height: 3}, count: 2}, {count: 300, sum: [32]byte{4}}}}, {}}},
		get{[]span{whole}},
		put{raw(e...)},
		want{stage, []ID{e[0].ID()}, []ID{{1}, {2}}},
		bye{},
		entries{true, raw(e[0])},
		ack{1, 200, 70000, 0},
		failure{fault.Denied, "no"},
	}
}

func encodeMessage(m message) []byte {
	w := &encoder{}
	m.encode(w)
	return w.out
}

func TestMessagesAreReadAsTheyWereWritten(t *testing.T) {
	for _, m := range samples() {
		out := encodeMessage(m)
		back, err := decodeMessage(m.kind(), out)
		if err != nil || !bytes.Equal(encodeMessage(back), out) || reflect.TypeOf(back) != reflect.TypeOf(m) {
			t.Errorf("%+v became %+v, %v", m, back, err)
		}
		if len(out) == 0 {
			continue
		}
		for cut := range len(out) {
			short, err := decodeMessage(m.kind(), out[:cut])
			if err == nil && bytes.Equal(encodeMessage(short), out) {
				t.Errorf("%T cut at %d is read as the whole", m, cut)
			}
		}
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, m := range samples() {
		f.Add(m.kind(), encodeMessage(m))
	}
	f.Fuzz(func(t *testing.T, kind byte, in []byte) {
		m, err := decodeMessage(kind, in)
		if err == nil && !bytes.Equal(encodeMessage(m), in) {
			t.Errorf("%x of kind %d is written as %x", in, kind, encodeMessage(m))
		}
	})
}

func TestPositionsHaveANextAndAShortBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Position {
			p := Position{Height: rapid.Uint64Range(0, 3).Draw(t, name)}
			copy(p.ID[:], rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 255}), 32, 32).Draw(t, name+" id"))
			return p
		}
		p, q := draw("p"), draw("q")
		if next := p.next(); next.Compare(p) <= 0 || p.Compare(q) < 0 && q.Compare(next) < 0 {
			t.Errorf("the next of %v is %v", p, next)
		}
		if p.Compare(q) < 0 {
			if cut := between(p, q); cut.Compare(p) <= 0 || cut.Compare(q) > 0 {
				t.Errorf("%v is not between %v and %v", cut, p, q)
			}
		}
		w := &encoder{}
		w.bound(p)
		r := &decoder{in: w.out}
		if back := r.bound(); back != p || r.broken || r.more() {
			t.Errorf("%v is read as %v", p, back)
		}
	})
}

func TestFingerprintsFollowEveryWriteAndForgetNothing(t *testing.T) {
	f, fresh := feeds(t), feeds(t)
	all := chain(1, 700)
	for i, e := range all {
		give := []*Entry{e}
		if _, err := f.AddAll(context.Background(), give, identity.PublicKey{}, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		if i%100 != 50 {
			continue
		}
		if _, err := fresh.AddAll(context.Background(), all[:i+1], identity.PublicKey{}, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		for _, s := range []span{whole, {Position{}, e.Position()}, {all[i/2].Position(), end}, {all[i/3].Position(), all[i/2].Position()}} {
			one, n, err := f.fingerprint(stage, s)
			fresh.sums.cache = nil
			two, m, freshErr := fresh.fingerprint(stage, s)
			if one != two || n != m || err != nil || freshErr != nil {
				t.Errorf("after %d entries, %v: %x of %d, freshly %x of %d; %v, %v", i+1, s, one[:4], n, two[:4], m, err, freshErr)
			}
		}
	}
}
