package sidechannel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/canon"
	"intercom/core/identity"
)

// upstream.json holds what upstream's own code made.
type upstream struct {
	Topics []struct{ Channel, Topic string }
	Frames []struct {
		Label, PayloadJSON, SigBase, Sig string
		Difficulty                       int
		Pow                              *upstreamWork
	}
	LeadingZeroBits []struct {
		Hex             string
		LeadingZeroBits int
	}
	PowNegatives []struct {
		Label    string
		Accepted bool
	}
	OpenChannelUndefinedMismatch struct{ SenderPowBase, ReceiverPowBase string }
	Invites, Welcomes            []upstreamPaper
	RateLimiterTrace             struct {
		Steps []struct {
			AtMs, Bytes, TokensAfter, Strikes int
			BlockedUntilMs                    int64
			Allowed                           bool
		}
	}
}

type upstreamWork struct {
	Base, Hash      string
	Nonce           uint64
	LeadingZeroBits int
}

type upstreamPaper struct {
	Canonical, CanonicalWithNullAddress, Sig       string
	InviteJSON, InviteB64, WelcomeJSON, WelcomeB64 string
	Checks                                         []struct {
		Label    string
		Accepted bool
	}
}

func upstreamVectors(t testing.TB) (v upstream) {
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

// Upstream's frames are ours to the byte, with their proofs of work.
func TestUpstreamFrames(t *testing.T) {
	vectors := upstreamVectors(t).Frames
	if len(vectors) != 9 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		payload := []byte(v.PayloadJSON)
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
		a := arrival{name: "x", quoted: f.channel, law: openLaw("x"), bits: v.Difficulty, neighbour: key, data: payload}
		if _, got := judge(newScreen(time.Time{}), time.UnixMilli(f.ts), a); got != Delivered {
			t.Errorf("%s: judged %q", v.Label, got)
		}
		if v.Pow != nil && v.Pow.Base != "" {
			checkUpstreamWork(t, f, canonical, *v.Pow)
		}
	}
}

// checkUpstreamWork: the base is upstream's, and so is the nonce that is found.
func checkUpstreamWork(t *testing.T, f *frame, canonical []byte, v upstreamWork) {
	t.Helper()
	before, behind := f.workBase(canonical)
	base := string(before) + fmt.Sprint(v.Nonce) + string(behind)
	sum := sha256.Sum256([]byte(base))
	if base != v.Base || hex.EncodeToString(sum[:]) != v.Hash || leadingZeros(sum[:]) != v.LeadingZeroBits {
		t.Errorf("base %s, %d bits, want %s, %d bits", base, leadingZeros(sum[:]), v.Base, v.LeadingZeroBits)
	}
	found := *f
	if err := found.prove(t.Context(), canonical, f.pow.difficulty); err != nil || *found.pow != (proof{v.Nonce, f.pow.difficulty}) {
		t.Errorf("found %+v, %v; upstream %d", found.pow, err, v.Nonce)
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
		a := arrival{name: name, quoted: name.quoted(), law: openLaw(name), neighbour: alice.PublicKey(), data: f.encode()}
		passed, reason := judge(s, now, a)
		if reason != Delivered {
			t.Fatalf("%s: %q", message, reason)
		}
		got := passed.deliverable()
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
		got, reason := judge(newScreen(time.Time{}), now, arrival{name: "pub1", quoted: `"pub1"`, law: openLaw("pub1"), data: data})
		if (got != nil) != (reason == Delivered) || (got != nil && !json.Valid(got.message)) {
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
		fastest := func(size int) time.Duration {
			f.message = []byte(`["` + strings.Repeat(unit, size/len(unit)))
			raw, best := f.encode(), time.Hour
			for range 20 {
				begin := time.Now()
				decodeFrame(raw)
				best = min(best, time.Since(begin))
			}
			return best
		}
		// Ten times the size costs ten times the work, and a hundred times when quadratic.
		if small, large := fastest(40_000), fastest(400_000); large > 50*small {
			t.Errorf("40 kB of %s took %v, 400 kB %v", unit, small, large)
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
