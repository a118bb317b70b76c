package sidechannel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts print into them")

// TestPipeline runs the scripts in testdata: lines that begin with "> " are
// commands to one receiver and its clock, the lines behind them what they print.
//
//	> frame F from=A message=JSON [signer=A] [channel=C] [age=D|ahead=D] [origin=A|null] [id=TEXT]
//	> alter F G OLD NEW          G is F with a piece of its bytes replaced
//	> deliver F [on=C] [via=A]   the frame arrives on channel C from neighbour A
//	> advance D                  time passes
//	> restart                    the receiver forgets what it has seen
func TestPipeline(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, time.UnixMilli(1_767_225_600_000))
	var got bytes.Buffer
	for line := range strings.Lines(string(want)) {
		switch {
		case strings.HasPrefix(line, "> "):
			got.WriteString(line)
			got.WriteString(m.do(t, strings.Fields(line[2:])))
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
			got.WriteString(line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(want) {
		t.Errorf("%s prints\n%s\nwant\n%s", file, got.String(), want)
	}
}

// machine is one receiver, me, and what the world has made for it.
type machine struct {
	now    time.Time
	screen *screen
	frames map[string][]byte
	made   int
	policy Policy
	laws   map[ChannelName]*charter
	book   *book
}

func newMachine(t testing.TB, now time.Time) *machine {
	b, err := openBook(newStore(t).Space("sidechannel"))
	if err != nil {
		t.Fatal(err)
	}
	return &machine{now: now, screen: newScreen(time.Time{}), frames: map[string][]byte{}, laws: map[ChannelName]*charter{}, book: b}
}

func newScreen(floor time.Time) *screen {
	return &screen{
		self: someone("me").PublicKey().String(), seen: newReplay(floor, replayLimit),
		limits: newLimiter(false), authors: (&Rates{}).author(),
	}
}

// someone is an identity that follows from a name.
func someone(name string) *identity.Identity { return identity.FromSeed(sha256.Sum256([]byte(name))) }

func (m *machine) do(t *testing.T, words []string) string {
	args := map[string]string{"channel": "trip", "on": "trip", "age": "0s", "ahead": "0s"}
	var plain []string
	for _, word := range words[1:] {
		if key, value, ok := strings.Cut(word, "="); ok && words[0] != "alter" {
			args[key] = value
		} else {
			plain = append(plain, word)
		}
	}
	switch words[0] {
	case "frame":
		m.frames[plain[0]] = m.frame(t, args)
		return ""
	case "alter":
		old := m.frames[plain[0]]
		if !bytes.Contains(old, []byte(plain[2])) {
			t.Fatalf("%s does not contain %q: %s", plain[0], plain[2], old)
		}
		m.frames[plain[1]] = bytes.Replace(old, []byte(plain[2]), []byte(plain[3]), 1)
		return ""
	case "deliver":
		return m.deliver(m.frames[plain[0]], args)
	case "advance":
		m.now = m.now.Add(duration(t, plain[0]))
		return ""
	case "restart":
		m.screen = newScreen(m.now)
		return ""
	}
	t.Fatalf("unknown command %q", words[0])
	return ""
}

func duration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// frame builds what anybody could build, honest or not.
func (m *machine) frame(t *testing.T, args map[string]string) []byte {
	author := someone(args["from"]).PublicKey().String()
	ts := m.now.Add(duration(t, args["ahead"]) - duration(t, args["age"])).UnixMilli()
	m.made++
	f := &frame{
		id: fmt.Sprintf("%s:%d:%08d", author, ts, m.made), channel: ChannelName(args["channel"]).quoted(),
		from: author, origin: args["origin"] != "null", message: []byte(args["message"]), ts: ts,
	}
	if id := args["id"]; id != "" {
		f.id = strings.NewReplacer("FROM", author, "TS", fmt.Sprint(ts)).Replace(id)
	}
	signer := args["signer"]
	if signer == "" {
		signer = args["from"]
	}
	raw := seal(f, someone(signer))
	if other := args["origin"]; other != "" && other != "null" {
		raw = bytes.Replace(raw, []byte(`"origin":"`+author), []byte(`"origin":"`+someone(other).PublicKey().String()), 1)
	}
	return raw
}

// seal signs a frame as it stands, whatever it says.
func seal(f *frame, signer *identity.Identity) []byte {
	canonical, err := canon.JSON(f.message)
	if err != nil {
		canonical = f.message
	}
	f.sig = hex.EncodeToString(signer.Sign(f.base(canonical)))
	return f.encode()
}

func (m *machine) deliver(data []byte, args map[string]string) string {
	name := ChannelName(args["on"])
	a := arrival{name: name, quoted: name.quoted(), law: m.law(name), data: data}
	if via := args["via"]; via != "" {
		a.neighbour = someone(via).PublicKey()
	} else if f, err := decodeFrame(data); err == nil {
		a.neighbour, _ = identity.ParsePublicKey(f.from)
	}
	passed, reason := judge(m.screen, m.now, a)
	switch {
	case reason.dishonest():
		return fmt.Sprintf("rejected: %s\n", reason)
	case reason != Delivered:
		return fmt.Sprintf("ignored: %s\n", reason)
	}
	if passed.control != nil {
		return fmt.Sprintf("heeded: %s\n", passed.control.kind)
	}
	got := passed.deliverable()
	return fmt.Sprintf("delivered on %s: %s%s\n", got.Channel, got.Message, m.route(got))
}

func (m *machine) route(got *Message) string {
	var notes []string
	if got.Origin.IsZero() {
		notes = append(notes, "no origin")
	}
	for _, name := range []string{"alice", "bob", "mallory"} {
		if got.RelayedBy == someone(name).PublicKey() {
			notes = append(notes, "relayed by "+name)
		}
	}
	if got.TTL != directTTL {
		notes = append(notes, fmt.Sprintf("ttl %d", got.TTL))
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// law is the charter of a channel, of an open one unless a script says otherwise.
func (m *machine) law(name ChannelName) *charter {
	if m.laws[name] == nil {
		m.laws[name] = newCharter(name, someone("me").PublicKey(), &m.policy, m.book, record{})
	}
	return m.laws[name]
}

// newFrame is a frame that costs no work, signed.
func newFrame(signer Signer, channel string, message []byte, now time.Time) (*frame, error) {
	d, err := newDraft(signer.PublicKey(), channel, message, now)
	if err != nil {
		return nil, err
	}
	return d.frame, d.finish(context.Background(), signer, 0)
}

// openLaw is the charter of a channel of which nothing is known.
func openLaw(name ChannelName) *charter {
	return newCharter(name, someone("me").PublicKey(), &Policy{}, nil, record{})
}
