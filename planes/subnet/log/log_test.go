package log_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/log"
)

func TestEntriesAreSeenAtOnceAndConfirmedByTheChain(t *testing.T) {
	c := &chain{t: t}
	a := newPeer(t, 0, firstEntry("0"))
	e := a.say("put x 1")
	if a.value("x") != "" || a.local("x") != "1" {
		t.Errorf("before the block: confirmed %q, local %q", a.value("x"), a.local("x"))
	}
	if !a.log.Pending() {
		t.Error("nothing pends")
	}
	c.confirm(a)
	if a.value("x") != "1" || a.log.Pending() {
		t.Errorf("after the block: %q, pending %v", a.value("x"), a.log.Pending())
	}
	if height, ok, err := a.log.Find(e.ID()); height != 1 || !ok || err != nil {
		t.Errorf("found at %d, %v, %v", height, ok, err)
	}
	before := a.root()
	if c.confirm(a) != 0 || a.root() != before {
		t.Error("an empty block changed the state")
	}
}

func TestTailSurvivesARestart(t *testing.T) {
	c := &chain{t: t}
	a := newPeer(t, 0, firstEntry("0"))
	a.say("put x 1")
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
	a.open()
	if a.log.Status().Waiting != 1 || a.local("x") != "1" || c.confirm(a) != 1 {
		t.Errorf("%+v", a.log.Status())
	}
}

func TestFailedEntriesAreRecordedAndChangeTheRoot(t *testing.T) {
	c := &chain{t: t}
	a := newPeer(t, 0, firstEntry("0"))
	before := a.root()
	e := a.say("nonsense")
	p := c.next()
	p.Txs = a.log.Propose(p)
	done, err := execute(a, p)
	if err != nil || len(done.Results) != 1 || done.Results[0].Code != toyFailed {
		t.Fatalf("%+v, %v", done, err)
	}
	if a.root() == before {
		t.Error("the root stayed")
	}
	if _, ok, _ := a.log.Find(e.ID()); !ok {
		t.Error("the entry is not confirmed")
	}
}

func TestLateEntryStandsBehindWhatIsConfirmed(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a, b := newPeer(t, 0, first), newPeer(t, 1, first)
	w := a.say("writer 1")
	c.confirm(a)
	c.bring(b)
	late := b.say("put x late") // height 3, kept to itself
	for range 5 {
		a.say("put x early")
	}
	c.confirm(a)
	a.add(late)
	if late.Height != w.Height+1 || a.local("x") != "late" {
		t.Errorf("local view: %q", a.local("x"))
	}
	c.confirm(a)
	c.bring(b)
	if a.value("x") != "late" || a.root() != b.root() || b.local("x") != "late" {
		t.Errorf("confirmed %q and %q", a.value("x"), b.value("x"))
	}
}

func TestChildWaitsForItsParentAndComesInOneBlock(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a := newPeer(t, 0, first)
	one := on(0, "put x 1", first)
	two := on(0, "put x 2", one)
	a.add(two)
	if a.log.Pending() || a.local("x") != "" {
		t.Error("a child without its parent counts")
	}
	a.add(one)
	if n := c.confirm(a); n != 2 || a.value("x") != "2" {
		t.Errorf("%d confirmed, x is %q", n, a.value("x"))
	}
}

func TestStrangersAreNotStoredUntilTheyMayWrite(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a := newPeer(t, 0, first)
	e := on(1, "put x 1", first)
	add := func() error {
		_, err := a.feeds.Add(context.Background(), e, identity.PublicKey{}, start)
		return err
	}
	if err := add(); fault.KindOf(err) != fault.Limited {
		t.Errorf("a stranger's entry: %v", err)
	}
	a.say("writer 1")
	c.confirm(a)
	if err := add(); err != nil {
		t.Error(err)
	}
	a.say("unwriter 1")
	c.confirm(a)
	if a.value("x") != "1" {
		t.Error("the entry had a lower height and stood first")
	}
	after := on(1, "put x 2", e)
	a.add(after)
	p := c.next()
	p.Txs = a.log.Propose(p)
	done, err := execute(a, p)
	if err != nil || len(done.Results) != 1 || done.Results[0].Code != toyRefused || a.value("x") != "1" {
		t.Errorf("after the right was taken: %+v, %v", done, err)
	}
}

func TestSecondFirstEntryIsRefused(t *testing.T) {
	a := newPeer(t, 0, firstEntry("0"))
	other := sign(0, &feed.Entry{Height: 1, Body: []byte("begin 1")})
	if _, err := a.feeds.Add(context.Background(), other, identity.PublicKey{}, start); fault.KindOf(err) != fault.Invalid {
		t.Errorf("stored: %v", err)
	}
	_, err := log.Open(log.Config{Store: a.store, Name: "test", Feeds: a.feeds, First: other, Machine: toy{}, Log: quiet()})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("opened with another first entry: %v", err)
	}
}

func TestTailOfOneAuthorIsBounded(t *testing.T) {
	c := &chain{t: t}
	a := newPeer(t, 0, firstEntry("0"))
	a.say("writer 1")
	c.confirm(a)
	bodies := slices.Repeat([][]byte{[]byte("put x 1")}, log.MaxUnconfirmed+1)
	entries, err := a.feeds.AppendAll(context.Background(), subnet, author(0), bodies, start)
	if fault.KindOf(err) != fault.Limited || a.log.Status().Waiting != log.MaxUnconfirmed {
		t.Fatalf("%d of %d wait: %v", a.log.Status().Waiting, len(entries), err)
	}
	if _, err := a.feeds.Append(context.Background(), subnet, author(1), []byte("put y 1"), start); err != nil {
		t.Errorf("another author has no room: %v", err)
	}
	for a.log.Pending() {
		c.confirm(a)
	}
	a.say("put x 2")
}

func TestForkIsConfirmedAndHindersNobody(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a, b := newPeer(t, 0, first), newPeer(t, 1, first)
	x, y := on(0, "put x 1", first), on(0, "put x 2", first)
	a.add(x)
	b.add(y)
	c.confirm(a)
	c.bring(b)
	b.add(x)
	a.add(y, on(0, "put y 3", y))
	if n := c.confirm(a); n != 2 {
		t.Errorf("%d entries of the other branch", n)
	}
	c.bring(b)
	if a.root() != b.root() || a.value("y") != "3" || b.log.Status().Waiting != 0 {
		t.Errorf("%+v, %+v", a.log.Status(), b.log.Status())
	}
}

func TestSecondSignatureOfAnEntryMakesNoSecondEntry(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a, b := newPeer(t, 0, first), newPeer(t, 1, first)
	e := on(0, "put x 1", first)
	again := *e
	again.Sig[0] ^= 1 // as if it were another right one: the id is the same
	a.add(e)
	p := c.next()
	p.Txs = [][]byte{e.Encode(), e.Encode()}
	if a.log.Accept(p) {
		t.Error("an entry twice in a block")
	}
	p.Txs = [][]byte{again.Encode()}
	if a.log.Accept(p) || b.log.Accept(p) {
		t.Error("a wrong signature of an entry that is known")
	}
	if c.confirm(a); a.log.Status().Confirmed != 2 {
		t.Errorf("%+v", a.log.Status())
	}
	p = c.next()
	p.Txs = [][]byte{e.Encode()}
	if a.log.Accept(p) {
		t.Error("a confirmed entry again")
	}
}

func TestCheatingProposalsAreRefused(t *testing.T) {
	first := firstEntry("0")
	a := newPeer(t, 0, first)
	one := on(0, "put x 1", first)
	two := on(0, "put x 2", one)
	foreign := &feed.Entry{Feed: feed.FeedID{'x'}, Height: 2, Parents: []feed.ID{first.ID()}, Body: []byte("put x 1"), Author: author(0).PublicKey()}
	foreign.Sig = [64]byte(author(0).Sign(foreign.Preimage()))
	forged := on(0, "put x 9", first)
	forged.Sig[5] ^= 1
	for name, entries := range map[string][]*feed.Entry{
		"causally wrong": {two, one},
		"no parent":      {two},
		"forged":         {forged},
		"another feed":   {foreign},
		"a stranger":     {on(1, "put x 1", first)},
		"wrong height":   {sign(0, &feed.Entry{Parents: []feed.ID{first.ID()}, Seq: 1, Height: 3, Body: []byte("put x 1")})},
		"wrong seq":      {sign(0, &feed.Entry{Parents: []feed.ID{first.ID()}, Seq: 2, Height: 2, Body: []byte("put x 1")})},
		"dated ahead":    {sign(0, &feed.Entry{Parents: []feed.ID{first.ID()}, Seq: 1, Height: 2, Body: []byte("put x 1"), TS: start.UnixMilli() + 1e9})},
		"another first":  {sign(0, &feed.Entry{Height: 1, Body: []byte("begin 1")})},
		"empty body":     {on(0, "", first)},
	} {
		c := &chain{t: t}
		p := c.next()
		for _, e := range entries {
			p.Txs = append(p.Txs, e.Encode())
		}
		if a.log.Accept(p) {
			t.Errorf("%s: accepted", name)
		}
	}
	p := (&chain{t: t}).next()
	for _, tx := range [][]byte{nil, []byte("intercom/bft/wake/v1"), one.Encode()[1:]} {
		if p.Txs = [][]byte{tx}; a.log.Accept(p) {
			t.Errorf("accepted %q", tx)
		}
	}
	if p.Txs = [][]byte{one.Encode(), two.Encode()}; !a.log.Accept(p) {
		t.Error("a good proposal of entries never seen is refused")
	}
}

func TestDecidedBlockWithUnfitTransactionsIsExecutedAlikeEverywhere(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a, b := newPeer(t, 0, first), newPeer(t, 1, first)
	good := on(0, "put x 1", first)
	p := c.next()
	p.Txs = [][]byte{[]byte("junk"), good.Encode(), good.Encode(), on(1, "put x 2", first).Encode()}
	a.add(good)
	one, err := execute(a, p)
	if err != nil {
		t.Fatal(err)
	}
	other, err := execute(b, p)
	if err != nil || one.State != other.State || one.Results[1].Code != 0 {
		t.Errorf("%+v, %+v, %v", one, other, err)
	}
	for _, i := range []int{0, 2, 3} {
		if one.Results[i].Code == 0 || one.Results[i].Code != other.Results[i].Code {
			t.Errorf("transaction %d: %+v, %+v", i, one.Results[i], other.Results[i])
		}
	}
}

func TestChainThatSleptTakesWhatIsDatedLaterOnItsSecondBlock(t *testing.T) {
	c := &chain{t: t}
	first := firstEntry("0")
	a := newPeer(t, 0, first)
	later := start.AddDate(0, 0, 1)
	e := sign(0, &feed.Entry{Seq: 1, Height: 2, Parents: []feed.ID{first.ID()}, Body: []byte("put x 1"), TS: later.UnixMilli()})
	if _, err := a.feeds.Add(context.Background(), e, identity.PublicKey{}, later); err != nil {
		t.Fatal(err)
	}
	if n := c.confirm(a); n != 0 || !a.log.Pending() {
		t.Errorf("%d confirmed, pending %v", n, a.log.Pending())
	}
	if n := c.confirm(a); n != 0 || a.log.Pending() {
		t.Error("a chain whose clock does not move makes empty blocks for ever")
	}
	a.say("put y 1")
	if !a.log.Pending() {
		t.Error("a further entry wakes nobody")
	}
	p := c.next()
	p.Time = later
	if p.Txs = a.log.Propose(p); len(p.Txs) != 2 {
		t.Errorf("%d proposed", len(p.Txs))
	}
}

// mixed is a history of several authors with forks and much side by side.
func mixed(n int, random *rand.Rand) (*feed.Entry, []*feed.Entry) {
	first := firstEntry("0")
	latest := map[int]*feed.Entry{}
	all := []*feed.Entry{on(0, "writer 1", first)}
	all = append(all, on(0, "writer 2", all[0]))
	latest[0] = all[1]
	for len(all) < n {
		who := random.IntN(3)
		own := latest[who]
		parents := []*feed.Entry{}
		if own != nil {
			parents = append(parents, own)
		}
		if other := all[1+random.IntN(len(all)-1)]; other != own {
			parents = append(parents, other)
		}
		if own == nil && len(parents) == 0 {
			continue
		}
		e := on(who, "put k"+string(rune('a'+random.IntN(5)))+" "+string(rune('a'+len(all)%26)), parents...)
		if own == nil {
			e.Seq = 0
			e = sign(who, e)
		}
		if random.IntN(10) > 0 {
			latest[who] = e
		}
		all = append(all, e)
	}
	return first, all
}

// shuffledArrivals checks that a number of orders of arrival give one local view.
func shuffledArrivals(t *testing.T, orders int) {
	random := rand.New(rand.NewPCG(1, 2))
	first, all := mixed(60, random)
	c := &chain{t: t}
	source := newPeer(t, 0, first)
	source.add(all[:2]...)
	c.confirm(source)
	want := ""
	for range orders {
		p := newPeer(t, 1, first)
		c.bring(p)
		rest := slices.Clone(all[2:])
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		for i, e := range rest {
			p.add(e)
			if i == len(rest)/2 && random.IntN(4) == 0 {
				p.local("ka") // a view in between changes nothing
			}
		}
		view, err := p.log.Local(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		root, err := view.Root()
		if err != nil || (want != "" && root.String() != want) || p.log.Status().Waiting != len(rest) {
			t.Fatalf("root %s, was %s, %+v, %v", root, want, p.log.Status(), err)
		}
		want = root.String()
		_ = p.store.Close()
	}
}

func TestLocalViewDoesNotDependOnTheOrderOfArrival(t *testing.T) { shuffledArrivals(t, 30) }
