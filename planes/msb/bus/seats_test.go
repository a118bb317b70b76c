package bus_test

import (
	"slices"
	"testing"

	"intercom/planes/msb/bus"
)

func TestAValidatorComesAndGoes(t *testing.T) {
	w := newWorld(t, 1)
	alice := key("alice").PublicKey()
	engine := key("e9").PublicKey()
	join := bus.ProveValidator(key("e9"), network, alice)
	step := func(who string, body bus.Body, want ...bus.Change) {
		t.Helper()
		out := w.apply(w.block(w.sign(who, body)))
		if out.Results[0].Code != bus.OK || !slices.Equal(out.Changes, want) {
			t.Errorf("%s: %+v, changes %v; want %v", bus.KindOf(body), out.Results[0], out.Changes, want)
		}
		w.conserved()
	}
	step("admin", bus.Whitelist{Account: alice})
	step("alice", join, bus.Change{Key: engine, Power: 1})
	if a := w.account("alice"); a.Role != bus.Validator || a.Stake != bus.Stake || a.Balance.String() != "999.67" || a.License != 2 {
		t.Errorf("as a validator alice is %+v", a)
	}
	if code := w.do("alice", bus.ProveValidator(key("e8"), network, alice)); code != bus.RoleNodeAlreadyWriter {
		t.Error("a second seat:", code)
	}
	step("alice", bus.RemoveValidator{}, bus.Change{Key: engine, Power: 0})
	if a := w.account("alice"); a.Role != bus.Whitelisted || !a.Stake.IsZero() || !a.ValidatorKey.IsZero() {
		t.Errorf("after leaving alice is %+v", a)
	}
	step("alice", join, bus.Change{Key: engine, Power: 1})
	step("admin", bus.Ban{Account: alice}, bus.Change{Key: engine, Power: 0})
	if a := w.account("alice"); a.Role != bus.Reader || !a.Stake.IsZero() || a.License != 2 {
		t.Errorf("banned alice is %+v", a)
	}
	if owner, ok, err := w.state().License(2); owner != alice || !ok || err != nil {
		t.Errorf("license 2 has %s, %t, %v", owner, ok, err)
	}
}

func TestTheSetChangesByOneDifferenceABlock(t *testing.T) {
	w := newWorld(t, 2)
	w.do("alice", pay("v0", "5"))
	w.do("alice", pay("v1", "5"))
	alice := key("alice").PublicKey()
	w.do("admin", bus.Whitelist{Account: alice})
	// v1 leaves, alice takes its key, leaves and comes back; v0 is then the last but one.
	out := w.apply(w.block(
		w.sign("v1", bus.RemoveValidator{}),
		w.sign("alice", bus.ProveValidator(key("e1"), network, alice)),
		w.sign("alice", bus.RemoveValidator{}),
		w.sign("v0", bus.RemoveValidator{}),
		w.sign("alice", bus.ProveValidator(key("e1"), network, alice)),
		w.sign("v0", bus.RemoveValidator{}),
		w.sign("alice", bus.RemoveValidator{}),
	))
	var codes []bus.Code
	for _, r := range out.Results {
		codes = append(codes, r.Code)
	}
	want := []bus.Code{bus.OK, bus.OK, bus.OK, bus.RoleLastValidator, bus.OK, bus.OK, bus.RoleLastValidator}
	if !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
	if want := []bus.Change{{Key: key("e0").PublicKey(), Power: 0}}; !slices.Equal(out.Changes, want) {
		t.Errorf("changes %v, want %v: e1 changed its operator alone", out.Changes, want)
	}
	w.conserved()
}

func TestDoubleSigningCostsTheStakeAndNeverTheLastSeat(t *testing.T) {
	w := newWorld(t, 2)
	guilty := func(names ...string) []bus.Change {
		b := w.block()
		for _, name := range names {
			b.Guilty = append(b.Guilty, bus.AddressOf(key(name).PublicKey()))
		}
		out := w.apply(b)
		w.conserved()
		return out.Changes
	}
	if got := guilty("nobody"); got != nil {
		t.Error("an unknown one was removed:", got)
	}
	if got, want := guilty("e1", "e1"), []bus.Change{{Key: key("e1").PublicKey()}}; !slices.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	if a := w.account("v1"); !a.Stake.IsZero() || !a.Balance.IsZero() || a.Role != bus.Reader {
		t.Errorf("the guilty one is %+v", a)
	}
	if got := guilty("e0"); got != nil || len(w.seats()) != 1 || !w.account("v0").Stake.IsZero() {
		t.Errorf("the last one: %v", got)
	}
}
