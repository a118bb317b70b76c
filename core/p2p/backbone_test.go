package p2p

import (
	"testing"
	"time"
)

// lineOver connects ends to a middle that they name as their only entry point.
func lineOver(t testing.TB, change func(*Config)) (a, middle, b *Host) {
	middle = start(t, change)
	only := func(c *Config) { c.Only, c.DHTBootstrap = true, []string{hostport(t, middle)} }
	a, b = start(t, only), start(t, only)
	eventually(t, "the ends know the middle", func() bool { return knows(middle, a, b) && knows(a, middle) && knows(b, middle) })
	return a, middle, b
}

func TestBackboneForwardsWhatItIsNoMemberOf(t *testing.T) {
	a, middle, b := lineOver(t, func(c *Config) { c.Backbone = 4 })
	got := newInbox()
	ta, tb := join(t, a, "opaque", Handler{}), join(t, b, "opaque", got.handler())
	settle(t, ta, got)
	if err := ta.Publish([]byte("over the middle")); err != nil {
		t.Fatal(err)
	}
	if m := got.next(t); string(m.Data) != "over the middle" || m.From != middle.Key() {
		t.Errorf("%q from %s", m.Data, m.From)
	}
	if s := middle.Stats(); s.Backbone != 1 || s.Topics != 0 || s.Frames.Relayed == 0 || s.Frames.Delivered != 0 {
		t.Errorf("%+v", s)
	}
	if knows(a, b) || knows(b, a) {
		t.Error("the ends are connected")
	}
	ta.Leave()
	tb.Leave()
	eventually(t, "a topic that nobody has is given up", func() bool { return middle.Stats().Backbone == 0 })
}

func TestBackboneIsBounded(t *testing.T) {
	a, middle, _ := lineOver(t, func(c *Config) { c.Backbone = 2 })
	topics := map[string]*Topic{}
	for _, name := range []string{"1", "2", "3", "4"} {
		topics[name] = join(t, a, name, Handler{})
	}
	eventually(t, "two topics are relayed", func() bool { return middle.Stats().Backbone == 2 })
	time.Sleep(3 * backboneTick) // it would take the others by now
	if n := middle.Stats().Backbone; n != 2 {
		t.Errorf("%d topics are relayed", n)
	}
	for _, topic := range topics {
		topic.Leave()
	}
	eventually(t, "nothing is relayed", func() bool { return middle.Stats().Backbone == 0 })
}

func TestRelayedTopicCanBeJoinedAndLeft(t *testing.T) {
	a, middle, b := lineOver(t, func(c *Config) { c.Backbone = 2 })
	got := newInbox()
	ta := join(t, a, "x", Handler{})
	join(t, b, "x", got.handler())
	settle(t, ta, got)
	mine := newInbox()
	tm := join(t, middle, "x", mine.handler())
	settle(t, ta, mine)
	if s := middle.Stats(); s.Topics != 1 || s.Backbone != 0 {
		t.Errorf("as a member: %+v", s)
	}
	tm.Leave()
	eventually(t, "it is relayed again", func() bool { s := middle.Stats(); return s.Topics == 0 && s.Backbone == 1 })
	if err := ta.Publish([]byte("again")); err != nil {
		t.Fatal(err)
	}
	for string(got.next(t).Data) != "again" {
	}
}

func TestOnlyEntryPointsAreConnected(t *testing.T) {
	a, _, b := lineOver(t, func(*Config) {})
	stranger := start(t)
	info := hostport(t, a)
	caller := start(t, func(c *Config) { c.DHTBootstrap = []string{info} })
	time.Sleep(time.Second)
	if knows(a, b) || knows(a, caller) || knows(caller, a) {
		t.Error("a host that names its entry points has other neighbours")
	}
	if _, err := b.Open(t.Context(), stranger.Key(), "/x"); err == nil {
		t.Error("a stranger can be dialled")
	}
	if _, err := Listen(Config{Identity: someone(), Only: true}); err == nil {
		t.Error("only, but nobody")
	}
}

func TestBackboneBudget(t *testing.T) {
	b := &newBackbone(nil, 1).budget
	key, now := someone().PublicKey(), time.Unix(1, 0)
	spent := 0
	for b.spend(key, 1<<20-frameOverhead, now) {
		spent++
	}
	if spent != backboneBurst>>20 {
		t.Errorf("%d MiB at once", spent)
	}
	if b.spend(key, 1<<20-frameOverhead, now.Add(time.Second)) || !b.spend(key, 1<<20-frameOverhead, now.Add(2*time.Second)) {
		t.Error("it does not fill at its rate")
	}
	if !b.spend(someone().PublicKey(), 1, now) {
		t.Error("one neighbour spends another's")
	}
}
