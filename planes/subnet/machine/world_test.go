package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/subnet/contract"
)

// people of the tests; boot's key names the subnet.
const (
	boot byte = 1 + iota
	adminKey
	bob
	mod
	eve // a writer without any right more
	stranger
)

func who(n byte) *identity.Identity    { return identity.FromSeed([32]byte{n}) }
func key(n byte) identity.PublicKey    { return who(n).PublicKey() }
func engine(n byte) identity.PublicKey { return identity.FromSeed([32]byte{n, 1}).PublicKey() }

// tester makes the test contract of upstream's golden vectors.
func tester() *contract.Contract {
	c := contract.New("vectors", 1)
	contract.Function(c, "ping", "leave a mark", func(call *contract.Call, _ contract.None) (any, error) {
		mark := map[string]string{"by": call.Caller().String(), "val": call.Validator().String()}
		call.Put("app/ping/"+call.Tx(), mark)
		return mark, nil
	})
	type setting struct {
		Key string          `json:"key" rule:"min=1 max=8"`
		V   json.RawMessage `json:"v"`
	}
	contract.Function(c, "set", "set a key", func(call *contract.Call, in setting) (any, error) {
		call.Put("app/kv/"+in.Key, in.V)
		switch string(in.V) {
		case "13":
			return nil, errors.New("7 unlucky")
		case "14":
			return nil, errors.New("")
		case "15":
			return nil, errors.New("plain text")
		case "16":
			panic("sixteen")
		}
		return nil, nil
	})
	contract.Feature(c, "oracle", "a value from outside", func(call *contract.Call, key string, value json.RawMessage) error {
		call.Put("app/oracle/"+key, value)
		return nil
	})
	c.OnMessage(func(call *contract.Call, m contract.Message) error {
		call.Put("app/last", m.Text)
		if m.Text == "forbidden" {
			return errors.New("forbidden")
		}
		return nil
	})
	return c
}

// port is a settlement network that believes what the test wrote: a proof is in JSON
// and names the trust that it holds under.
type port struct{}

type proof struct {
	Trust string
	Claim Claim
	Code  uint32
	Fact  Fact
}

func (port) Verify(trust, raw []byte, claim Claim) (Fact, error) {
	var p proof
	if err := json.Unmarshal(raw, &p); err != nil || p.Trust != string(trust) {
		return Fact{}, errors.New("not signed by those who are trusted")
	}
	if p.Claim != claim || p.Code != 0 {
		return Fact{}, errors.New("it shows something else")
	}
	return p.Fact, nil
}

func (port) Advance(trust, update []byte) ([]byte, error) {
	if len(update) <= len(trust) || string(update[:len(trust)]) != string(trust) {
		return nil, errors.New("it does not follow")
	}
	return update, nil
}

// world is a subnet's state, and who writes to it.
type world struct {
	testing.TB
	m      *Machine
	tree   *merkle.Map
	space  *store.Space
	state  *merkle.Update
	seq    map[byte]uint64
	height uint64 // of the block that entries stand in
	writes uint64
}

const network = "intercom-dev-test"

// newWorld begins a subnet with boot, bob, mod and eve as writers and boot as
// indexer; settles tells whether its transactions are settled.
func newWorld(t testing.TB, settles bool) *world {
	t.Helper()
	w := emptyWorld(t, tester())
	first := w.first(settles)
	if err := w.m.Begin(w.state, w.entry(boot, first), 1); err != nil {
		t.Fatal(err)
	}
	return w
}

func emptyWorld(t testing.TB, c *contract.Contract) *world {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	space := s.Space("state")
	w := &world{TB: t, m: New(key(boot), c, port{}), tree: merkle.Open(space, 4), space: space, seq: map[byte]uint64{}, height: 2}
	if w.state, err = w.tree.Update(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) first(settles bool) *First {
	f := &First{
		Contract: w.m.contract.Version(), Chain: DocumentOf([]byte("the chain's genesis")),
		Indexers: []Indexer{{key(boot), engine(boot)}}, Writers: sorted(key(bob), key(mod), key(eve)),
	}
	if settles {
		f.Settlement = &Settlement{Network: network, Genesis: DocumentOf([]byte("the network's genesis")), Trust: DocumentOf([]byte("trust"))}
	}
	return f
}

func sorted(keys ...identity.PublicKey) []identity.PublicKey {
	for i := range keys {
		for j := i; j > 0 && less(keys[j], keys[j-1]); j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

// entry makes the next entry of a person.
func (w *world) entry(author byte, b Body) *feed.Entry {
	w.Helper()
	raw, err := Encode(b)
	if err != nil {
		w.Fatalf("%+v: %v", b, err)
	}
	return w.raw(author, raw)
}

func (w *world) raw(author byte, body []byte) *feed.Entry {
	e := &feed.Entry{Feed: FeedOf(key(boot)), Author: key(author), Seq: w.seq[author], Height: 1, TS: 1_700_000_000_000, Body: body}
	if len(w.seq) > 0 {
		e.Height, e.Parents = 2, []feed.ID{{1}}
	}
	w.seq[author]++
	return e
}

// apply gives an entry to the machine, which must not fail.
func (w *world) apply(e *feed.Entry) Outcome {
	w.Helper()
	out, err := w.m.Apply(w.state, e, w.height)
	if err != nil {
		w.Fatal(err)
	}
	if out.Refused != nil && out.Refused.Kind == fault.Internal {
		w.Fatalf("the machine failed on %+v", e)
	}
	return out
}

// do has a person do something that must be carried out.
func (w *world) do(author byte, b Body) Outcome {
	w.Helper()
	out := w.apply(w.entry(author, b))
	if out.Refused != nil || out.Code() != 0 && out.Tx == nil {
		w.Fatalf("%s: %v", b.Kind(), out.Refused)
	}
	return out
}

// refused has a person do something that must be refused for that reason, and see
// that nothing changed.
func (w *world) refused(author byte, b Body, kind fault.Kind) Outcome {
	w.Helper()
	return w.refusedEntry(w.entry(author, b), kind)
}

func (w *world) refusedEntry(e *feed.Entry, kind fault.Kind) Outcome {
	w.Helper()
	before := w.visible()
	_, total, _ := Refusals(w.state, identity.PublicKey{}, 0)
	out := w.apply(e)
	if out.Refused == nil || out.Refused.Kind != kind || out.Refused.Message == "" {
		w.Fatalf("%s gives %v, want %s", out.Kind, out.Refused, kind)
	}
	if got := w.visible(); got != before || len(out.Changed) > 0 || out.Tx != nil {
		w.Fatalf("what was refused changed %v", out.Changed)
	}
	r, ok, err := RefusalOf(w.state, e.ID())
	_, now, _ := Refusals(w.state, identity.PublicKey{}, 0)
	if err != nil || !ok || r.Message != out.Refused.Message || now != total+1 {
		w.Fatalf("the refusal is not recorded: %+v, %v", r, err)
	}
	return out
}

// visible is the state's root without the list of refusals.
func (w *world) visible() string {
	w.Helper()
	leaves := w.leaves()
	copied, err := w.tree.Update()
	if err != nil {
		w.Fatal(err)
	}
	for _, leaf := range leaves {
		if refusalLeaf(leaf) {
			copied.Delete([]byte(leaf))
		}
	}
	root, err := copied.Root()
	if err != nil {
		w.Fatal(err)
	}
	return root.String()
}

func refusalLeaf(leaf string) bool { return strings.HasPrefix(leaf, ownSpace+"refused") }

// commit writes the state as a version.
func (w *world) commit() {
	w.Helper()
	batch := w.space.Batch()
	w.writes++
	if _, err := w.state.Write(batch, w.writes); err != nil {
		w.Fatal(err)
	}
	if err := batch.Apply(); err != nil {
		w.Fatal(err)
	}
	var err error
	if w.state, err = w.tree.Update(); err != nil {
		w.Fatal(err)
	}
}

// leaves lists all keys of the state.
func (w *world) leaves() []string {
	w.Helper()
	w.commit()
	view, err := w.tree.Last()
	if err != nil {
		w.Fatal(err)
	}
	var leaves []string
	if err := view.Scan(nil, func(key, _ []byte) bool { leaves = append(leaves, string(key)); return true }); err != nil {
		w.Fatal(err)
	}
	return leaves
}

// value is what `get` gives.
func (w *world) value(name string) string {
	w.Helper()
	v, err := Value(w.state, name)
	if err != nil {
		w.Fatal(err)
	}
	return string(v)
}

func (w *world) want(name, value string) {
	w.Helper()
	if got := w.value(name); got != value {
		w.Errorf("%s is %s, want %s", name, got, value)
	}
}

// pay is the entry that settles a command.
func (w *world) pay(command *feed.Entry, tx byte, change func(p *proof)) *Settled {
	w.Helper()
	body, err := Decode(command.Body)
	if err != nil {
		w.Fatal(err)
	}
	c := body.(*Command)
	p := proof{
		Trust: "trust", Claim: Claim{key(boot), c.Requester, CommandHash(key(boot), c.Type, c.Value)},
		Fact: Fact{[32]byte{tx}, key(stranger)},
	}
	if change != nil {
		change(&p)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		w.Fatal(err)
	}
	return &Settled{command.ID(), raw}
}

func (w *world) command(author byte, function, value string) *feed.Entry {
	w.Helper()
	e := w.entry(author, &Command{key(author), function, []byte(value)})
	if out := w.apply(e); out.Refused != nil {
		w.Fatal(out.Refused)
	}
	return e
}

func ref(n uint64) MessageRef { return MessageRef{Number: n} }

func quoted(k identity.PublicKey) string { return fmt.Sprintf("%q", k) }
