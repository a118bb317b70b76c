package machine_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/contract/poll"
	"intercom/planes/subnet/log"
	"intercom/planes/subnet/machine"
)

// rules are the machine as the log wants it.
type rules struct{ *machine.Machine }

func (r rules) Begin(u *merkle.Update, first *feed.Entry, height uint64) error {
	return r.Machine.Begin(u, first, height)
}

func (r rules) Admit(from log.Source, e *feed.Entry) error { return r.Machine.Admit(from, e) }

func (r rules) Apply(u *merkle.Update, e *feed.Entry, height uint64) (log.Outcome, error) {
	o, err := r.Machine.Apply(u, e, height)
	return log.Outcome{Code: o.Code(), Changed: o.Changed, Events: []any{o}}, err
}

func (r rules) Guilty(u *merkle.Update, keys []identity.PublicKey, height uint64) error {
	return r.Machine.Guilty(u, keys, height)
}

func (r rules) Indexers(from log.Source) (set []bft.Validator, err error) {
	list, err := r.Machine.Indexers(from)
	for _, x := range list {
		set = append(set, bft.Validator{Key: x.Key, Power: 1})
	}
	return set, err
}

// subnet is one indexer's: a feed, a log and a real engine.
type subnet struct {
	testing.TB
	owner *identity.Identity
	feeds *feed.Feeds
	log   *log.Log
}

func newSubnet(t testing.TB, c *contract.Contract) *subnet {
	s := &subnet{TB: t, owner: identity.FromSeed([32]byte{1})}
	dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
	validator, err := bft.ValidatorKey(dir)
	fatal(t, err)
	genesis := bft.Genesis{
		ChainID: bft.RandomChainID("test"), Time: time.Now().UTC(), Validators: []bft.Validator{{Key: validator, Power: 1}},
	}
	disk, err := store.OpenMemory()
	fatal(t, err)
	s.feeds, err = feed.Open(disk.Space("feed"), quiet)
	fatal(t, err)
	first := s.append(&machine.First{
		Contract: c.Version(), Chain: machine.DocumentOf(genesis.Encode()),
		Indexers: []machine.Indexer{{Author: s.owner.PublicKey(), Key: validator}},
	})
	m := machine.New(s.owner.PublicKey(), c, nil)
	fatal(t, m.Check(first))
	s.log, err = log.Open(log.Config{Store: disk, Name: "subnet", Feeds: s.feeds, First: first, Machine: rules{m}, Log: quiet})
	fatal(t, err)
	node, err := bft.New(bft.Config{Dir: dir, Store: disk, Name: "subnet", Genesis: genesis, App: s.log, Log: quiet, MaxTx: feed.MaxEntry})
	fatal(t, err)
	s.log.OnPending(node.Wake)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.log.Run(ctx) })
	running.Go(func() { _ = node.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		_ = disk.Close()
	})
	return s
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// append writes an entry of the owner.
func (s *subnet) append(b machine.Body) *feed.Entry {
	s.Helper()
	raw, err := machine.Encode(b)
	fatal(s, err)
	e, err := s.feeds.Append(context.Background(), machine.FeedOf(s.owner.PublicKey()), s.owner, raw, time.Now())
	fatal(s, err)
	return e
}

// state waits until an entry is confirmed and gives the state.
func (s *subnet) state(e *feed.Entry) *merkle.View {
	s.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if _, ok, err := s.log.Find(e.ID()); ok || err != nil {
			fatal(s, err)
			view, err := s.log.State()
			fatal(s, err)
			return view
		}
	}
	s.Fatal("nothing is confirmed after 60 s")
	return nil
}

// The machine in its place: what an indexer appends is confirmed by the engine, and
// whoever has the state's root can check what it says.
func TestTheMachineBehindARealEngine(t *testing.T) {
	s := newSubnet(t, poll.New())
	s.append(&machine.AddAdmin{Key: s.owner.PublicKey()})
	s.append(&machine.SetChatStatus{On: true})
	s.append(&machine.Post{Text: "hello"})
	s.append(&machine.Post{Text: "BUY NOW"})
	s.append(&machine.Feature{Name: "timer", Key: "currentTime", Value: []byte("1000")})
	d, err := poll.New().Command(`open {"question":"Where to?","answers":["sea","hills"]}`)
	fatal(t, err)
	call := s.append(&machine.Command{Requester: s.owner.PublicKey(), Type: d.Type, Value: d.Value})
	state := s.state(call)

	for name, want := range map[string]string{"chat_status": `"on"`, "msgl": "1", "currentTime": "1000", "txl": "1"} {
		value, ok, proof, err := state.Prove(contract.Leaf(name))
		if err != nil || !ok || string(value) != want {
			t.Errorf("%s is %s, want %s (%v)", name, value, want, err)
		}
		if err := merkle.VerifyPresent(state.Root(), contract.Leaf(name), value, proof); err != nil {
			t.Errorf("the proof of %s: %v", name, err)
		}
	}
	tx, ok, err := machine.TransactionOf(state, call.ID().String())
	if err != nil || !ok || tx.Failure() != "" || tx.Val.Type != "open" {
		t.Errorf("the transaction is %+v, %v", tx, err)
	}
	refused, total, err := machine.Refusals(state, s.owner.PublicKey(), 10)
	if err != nil || total != 1 || refused[0].Kind != "post" || refused[0].Error != fault.Denied {
		t.Errorf("%d refusals, %+v, %v", total, refused, err)
	}
	local, err := s.log.Local(context.Background())
	fatal(t, err)
	if value, err := machine.Value(local, "msg/0"); err != nil || !json.Valid(value) {
		t.Errorf("the local view has %s, %v", value, err)
	}
}
