package machine

import (
	"fmt"
	"slices"
	"testing"

	"intercom/core/fault"
	"intercom/core/identity"
)

// The weak points of membership.

// W3: nobody becomes a writer without asking for it in this subnet, nor against a ban.
func TestW3StrangersDoNotJoinUnasked(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	until := w.height + 1000
	good := Request{Until: until}.Sign(who(stranger), key(boot))
	w.refused(bob, &Join{good}, fault.Denied) // it is off
	w.do(adminKey, &SetAutoAddWriters{true})
	for name, r := range map[string]Request{
		"unsigned":     {Key: key(stranger), Until: until},
		"other's":      {Key: key(90), Until: until, Sig: good.Sig},
		"later":        {Key: key(stranger), Until: until + 1, Sig: good.Sig},
		"other subnet": Request{Until: until}.Sign(who(stranger), key(bob)),
		"expired":      Request{Until: 1}.Sign(who(stranger), key(boot)),
	} {
		if out := w.refused(bob, &Join{r}, fault.Denied); out.Refused.Message == "" {
			t.Error(name)
		}
	}
	if err := w.m.Admit(w.state, w.entry(stranger, &Join{good})); fault.KindOf(err) != fault.Denied {
		t.Errorf("a stranger's own entry is admitted: %v", err)
	}
	w.do(bob, &Join{good})
	w.refused(bob, &Join{good}, fault.Conflict)
	w.do(stranger, &Command{key(stranger), "ping", []byte("null")})

	w.do(adminKey, &RemoveWriter{key(stranger)})
	w.want("bnd/"+key(stranger).String(), "true")
	w.refused(bob, &Join{good}, fault.Denied)
	w.refused(bob, &Join{Request{Until: until + 5}.Sign(who(stranger), key(boot))}, fault.Denied)
	w.refused(stranger, &Command{key(stranger), "ping", []byte("null")}, fault.Denied)
	w.do(adminKey, &RemoveWriter{key(91)}) // a ban before it ever came
	w.refused(bob, &Join{Request{Until: until}.Sign(who(91), key(boot))}, fault.Denied)
	w.do(adminKey, &AddWriter{key(stranger)})
	w.want("bnd/"+key(stranger).String(), "")
	w.do(stranger, &Command{key(stranger), "ping", []byte("null")})
}

// W3: joining is bounded, for each writer and in all; removing makes room.
func TestW3JoiningIsBounded(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetAutoAddWriters{true})
	guest := func(i int) *identity.Identity { return identity.FromSeed([32]byte{99, byte(i), byte(i >> 8)}) }
	ask := func(i int) *Join { return &Join{Request{Until: 1 << 40}.Sign(guest(i), key(boot))} }
	for i := range MaxJoinedByEach {
		w.do(bob, ask(i))
	}
	w.refused(bob, ask(MaxJoinedByEach), fault.Limited)
	w.do(adminKey, &RemoveWriter{guest(3).PublicKey()})
	w.do(bob, ask(MaxJoinedByEach))
	w.want("wrl", fmt.Sprint(5+MaxJoinedByEach))
	w.state.Set(ownLeaf("joined"), u64(MaxJoined))
	w.refused(eve, ask(MaxJoinedByEach+1), fault.Limited)
}

// W16: there is always an admin who wants to be one.
func TestW16AdminsAreSucceededInTwoSteps(t *testing.T) {
	w := newWorld(t, false)
	w.refused(bob, &AddAdmin{key(bob)}, fault.Denied)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.refused(boot, &AddAdmin{key(bob)}, fault.Conflict)
	if _, err := Encode(&UpdateAdmin{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nobody may become the admin: %v", err)
	}
	w.do(adminKey, &UpdateAdmin{key(stranger)})
	w.want("admin", quoted(key(adminKey)))
	w.refused(bob, &AcceptAdmin{}, fault.Denied)
	w.do(adminKey, &UpdateAdmin{key(adminKey)}) // taken back
	w.refused(stranger, &AcceptAdmin{}, fault.Denied)
	w.do(adminKey, &UpdateAdmin{key(stranger)})
	w.do(stranger, &AcceptAdmin{})
	w.want("admin", quoted(key(stranger)))
	w.refused(adminKey, &SetChatStatus{true}, fault.Denied)
	w.refused(stranger, &AcceptAdmin{}, fault.Denied)
	w.refused(stranger, &RemoveWriter{key(stranger)}, fault.Conflict)
}

// W18: who is needed is not removed.
func TestW18IndexersAreGuarded(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	consent := func(n byte, e identity.PublicKey, until uint64) Consent {
		return Consent{Indexer: Indexer{Key: e}, Until: until}.Sign(who(n), key(boot))
	}
	good := consent(bob, engine(bob), 1<<40)
	forged := good
	forged.Indexer.Key = engine(eve)
	elsewhere := Consent{Indexer: Indexer{Key: engine(bob)}, Until: 1 << 40}.Sign(who(bob), key(eve))
	w.refused(bob, &AddIndexer{good}, fault.Denied)
	w.refused(adminKey, &AddIndexer{forged}, fault.Denied)
	w.refused(adminKey, &AddIndexer{elsewhere}, fault.Denied)
	w.refused(adminKey, &AddIndexer{consent(bob, engine(bob), 1)}, fault.Denied)
	w.refused(adminKey, &AddIndexer{consent(bob, engine(boot), 1<<40)}, fault.Conflict)
	w.do(adminKey, &AddIndexer{good})
	w.refused(adminKey, &AddIndexer{good}, fault.Conflict)
	w.do(adminKey, &AddIndexer{consent(bob, engine(mod), 1<<40)}) // another validator key
	w.refused(adminKey, &AddIndexer{consent(eve, engine(mod), 1<<40)}, fault.Conflict)
	if list, _ := w.m.Indexers(w.state); len(list) != 2 || !slices.Contains(list, Indexer{key(bob), engine(mod)}) {
		t.Errorf("the indexers are %v", list)
	}
	w.do(adminKey, &AddIndexer{consent(stranger, engine(stranger), 1<<40)})
	if now, ever, err := MayWrite(w.state, key(stranger)); !now || !ever || err != nil {
		t.Error("an indexer cannot write")
	}
	if list, err := w.m.Indexers(w.state); err != nil || len(list) != 3 || !less(list[0].Author, list[1].Author) || !less(list[1].Author, list[2].Author) {
		t.Errorf("the indexers are %v, %v", list, err)
	}
	w.refused(adminKey, &RemoveWriter{key(bob)}, fault.Conflict)
	w.refused(eve, &RemoveIndexer{key(bob)}, fault.Denied)
	w.do(bob, &RemoveIndexer{key(bob)}) // it may leave
	w.do(adminKey, &RemoveWriter{key(bob)})
	w.do(adminKey, &RemoveIndexer{key(boot)})
	w.refused(adminKey, &RemoveIndexer{key(stranger)}, fault.Conflict)
	w.refused(adminKey, &RemoveIndexer{key(eve)}, fault.NotFound)
}

// Who voted twice loses the vote, but for the last.
func TestTheGuiltyLoseTheirVotes(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &AddIndexer{Consent{Indexer: Indexer{Key: engine(bob)}, Until: 1 << 40}.Sign(who(bob), key(boot))})
	if err := w.m.Guilty(w.state, []identity.PublicKey{engine(eve)}, 5); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.m.Indexers(w.state); len(list) != 2 {
		t.Errorf("the indexers are %v", list)
	}
	if err := w.m.Guilty(w.state, []identity.PublicKey{engine(bob), engine(boot)}, 5); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.m.Indexers(w.state); len(list) != 1 || list[0].Author != key(boot) {
		t.Errorf("the indexers are %v", list)
	}
}
