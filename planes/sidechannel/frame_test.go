package sidechannel

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/canon"
	"intercom/core/identity"
)

// upstream.json holds what upstream's own code made: topics, and frames with
// their signature bases.
func upstreamVectors(t testing.TB) (v struct {
	Topics []struct{ Channel, Topic string }
	Frames []struct{ Label, PayloadJSON, SigBase, Sig string }
}) {
	raw, err := os.ReadFile("testdata/upstream.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUpstreamTopics(t *testing.T) {
	vectors := upstreamVectors(t).Topics
	if len(vectors) != 6 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		name, err := ParseChannelName(v.Channel)
		if err != nil {
			t.Fatal(err)
		}
		if got := name.topic(); hex.EncodeToString(got[:]) != v.Topic {
			t.Errorf("%q: topic %x, want %s", v.Channel, got, v.Topic)
		}
	}
}

// Upstream's frames are ours to the byte, but for the proof of work, which is a
// policy of its own.
func TestUpstreamFrames(t *testing.T) {
	proof := regexp.MustCompile(`,"pow":\{[^}]*\}`)
	vectors := upstreamVectors(t).Frames
	if len(vectors) != 9 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		payload := proof.ReplaceAll([]byte(v.PayloadJSON), nil)
		f, err := decodeFrame(payload)
		if err != nil {
			t.Errorf("%s: %v", v.Label, err)
			continue
		}
		if got := f.encode(); !bytes.Equal(got, payload) || f.size() != len(payload) {
			t.Errorf("%s: encode gives %s", v.Label, got)
		}
		canonical, err := canon.JSON(f.message)
		if base := f.base(canonical); err != nil || string(base) != v.SigBase {
			t.Errorf("%s: base %s, %v", v.Label, base, err)
		}
		key, err := identity.ParsePublicKey(f.from)
		sig, _ := hex.DecodeString(v.Sig)
		if err != nil || f.sig != v.Sig || !identity.Verify(key, []byte(v.SigBase), sig) {
			t.Errorf("%s: the signature does not verify", v.Label)
		}
		if !bytes.Equal(payload, []byte(v.PayloadJSON)) {
			if _, err := decodeFrame([]byte(v.PayloadJSON)); err == nil {
				t.Errorf("%s: a proof of work is ignored instead of refused", v.Label)
			}
		}
		a := arrival{name: "x", quoted: f.channel, neighbour: key, data: payload}
		want := Delivered
		if strings.Contains(v.Label, "control") {
			want = Control
		}
		if _, got := judge(newScreen(time.Time{}), time.UnixMilli(f.ts), a); got != want {
			t.Errorf("%s: judged %q, want %q", v.Label, got, want)
		}
	}
}

func TestIDsAreNotBiased(t *testing.T) {
	const draws = 36 * 1000
	var counts [128]int
	seen := map[string]bool{}
	for range draws {
		id := newID("f", 1)
		if seen[id] || !strings.HasPrefix(id, "f:1:") || len(id) != 4+idTail {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
		for _, c := range []byte(id[4:]) {
			counts[c]++
		}
	}
	// 8000 expected of each, standard deviation 88; one beyond 7 deviations in
	// 10^10 runs.
	for _, c := range []byte("0123456789abcdefghijklmnopqrstuvwxyz") {
		if counts[c] < 8000-620 || counts[c] > 8000+620 {
			t.Errorf("%c was drawn %d times of about 8000", c, counts[c])
		}
	}
}

// anyJSON draws a JSON value as somebody might write it.
func anyJSON() *rapid.Generator[string] {
	texts := rapid.SampledFrom([]string{`""`, `"é😀"`, `"\ud800"`, `"a/<b>&"`, `"\u0000\n"`, `"\\\""`, `"control"`, `"\"ts\":1,"`})
	scalar := rapid.OneOf(texts, rapid.SampledFrom([]string{"0", "-0", "1.0", "1e21", "-1.5e-7", "true", "false", "null"}))
	return rapid.Custom(func(t *rapid.T) string { return drawJSON(t, scalar, texts, 3) })
}

func drawJSON(t *rapid.T, scalar, texts *rapid.Generator[string], depth int) string {
	kind := rapid.IntRange(0, 2).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return scalar.Draw(t, "scalar")
	}
	var items []string
	for range rapid.IntRange(0, 4).Draw(t, "items") {
		item := drawJSON(t, scalar, texts, depth-1)
		if kind == 1 {
			item = texts.Draw(t, "name") + " : " + item
		}
		items = append(items, item)
	}
	if kind == 1 {
		return "{ " + strings.Join(items, " , ") + "}"
	}
	return "[" + strings.Join(items, ",") + " ]"
}

// What is sent is delivered, as JSON.stringify writes it, and once.
func TestEveryMessageArrivesAsSent(t *testing.T) {
	alice := someone("alice")
	rapid.Check(t, func(t *rapid.T) {
		message := anyJSON().Draw(t, "message")
		name := ChannelName(rapid.StringMatching(`[a-z"\\:é ]{1,20}x`).Draw(t, "name"))
		now := time.UnixMilli(1_767_225_600_000)
		f, err := newFrame(alice, name.quoted(), []byte(message), now)
		compact, _ := canon.Compact([]byte(message))
		if string(compact) == "null" || isControl(compact) {
			if err == nil {
				t.Fatalf("built a frame of %s", message)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		s := newScreen(time.Time{})
		a := arrival{name: name, quoted: name.quoted(), neighbour: alice.PublicKey(), data: f.encode()}
		got, reason := judge(s, now, a)
		if reason != Delivered || !bytes.Equal(got.Message, compact) || got.From != alice.PublicKey() || got.ID != f.id {
			t.Fatalf("%s: %q, %+v", message, reason, got)
		}
		if _, reason := judge(s, now, a); reason != Duplicate {
			t.Fatalf("again: %q", reason)
		}
	})
}

// FuzzDecodeFrame: there is one form, so what decodes is what encodes; and
// nothing makes the checks behind it stumble.
func FuzzDecodeFrame(f *testing.F) {
	for _, v := range upstreamVectors(f).Frames[:2] {
		f.Add([]byte(v.PayloadJSON))
		f.Add([]byte(strings.Replace(v.PayloadJSON, `"message":`, `"message":[{"a":"\\\"}`, 1)))
	}
	f.Add([]byte(frameHead))
	f.Add([]byte(frameHead + `x","channel":"\`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := slices.Clone(data)
		decoded, err := decodeFrame(data)
		if err == nil && !bytes.Equal(decoded.encode(), data) {
			t.Fatalf("%q encodes as %q", data, decoded.encode())
		}
		now := time.UnixMilli(1_767_225_600_000)
		got, reason := judge(newScreen(time.Time{}), now, arrival{name: "pub1", quoted: `"pub1"`, data: data})
		if (got != nil) != (reason == Delivered) || (got != nil && !json.Valid(got.Message)) {
			t.Fatalf("judged %q: %+v", reason, got)
		}
		if !bytes.Equal(before, data) {
			t.Fatal("the bytes were changed")
		}
	})
}

// A long string of escapes costs one pass, not one per escape.
func TestDecodingIsLinear(t *testing.T) {
	f, err := decodeFrame(upstreamPayload(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{`\\`, `\"`, `{`, `"",`, `a`} {
		f.message = []byte(`["` + strings.Repeat(unit, 400_000/len(unit)))
		raw := f.encode()
		begin := time.Now()
		for range 10 {
			decodeFrame(raw)
		}
		if took := time.Since(begin) / 10; took > 500*time.Millisecond { // some 0.1 ms; seconds when quadratic
			t.Errorf("400 kB of %s took %v", unit, took)
		}
	}
}

func upstreamPayload(t testing.TB) []byte {
	return []byte(upstreamVectors(t).Frames[0].PayloadJSON)
}

func TestChannelNames(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"trip-nyc", "trip-nyc"}, {"  pub1\t\n", "pub1"}, {"\u3000a b\ufeff", "a b"}, {"a:b", "a:b"}, {"ÜNÏ", "ÜNÏ"},
		{strings.Repeat("x", 256), strings.Repeat("x", 256)}, {strings.Repeat("é", 128), strings.Repeat("é", 128)},
	} {
		if got, err := ParseChannelName(c.text); err != nil || string(got) != c.want {
			t.Errorf("ParseChannelName(%q) = %q, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"", "  ", "\ufeff", "a\nb", "a\x00", "\x1b[2J", "a\u0085b", "\u0085", "\xff", strings.Repeat("x", 257), strings.Repeat("é", 129)} {
		if got, err := ParseChannelName(text); err == nil {
			t.Errorf("ParseChannelName(%q) = %q", text, got)
		}
	}
}
