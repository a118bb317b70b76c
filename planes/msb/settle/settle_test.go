package settle_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/settle"
)

var (
	caller = identity.FromSeed([32]byte{1})
	subnet = identity.FromSeed([32]byte{2})
	other  = identity.FromSeed([32]byte{3})
)

var claim = settle.Claim{Subnet: subnet.PublicKey(), Requester: caller.PublicKey(), Command: [32]byte{7}}

// story is what one real network did, as bytes.
type story struct {
	Genesis []byte
	Called  []byte // proof of the claimed call
	ID      []byte // of its transaction
	Height  int64
	Failed  []byte // proof of a call of a subnet that is not deployed
	Paid    []byte // of a transfer
	Update  []byte // that adds a validator
}

// told gives the story in testdata, which TestARealNetworkTellsTheSame writes with
// -rewrite.
func told(t testing.TB) (st story, trust []byte) {
	t.Helper()
	raw, err := os.ReadFile("testdata/story.json")
	must(t, err)
	must(t, json.Unmarshal(raw, &st))
	_, trust, err = settle.Begin(st.Genesis)
	must(t, err)
	return st, trust
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds checks what a story proves.
func (st story) holds(t testing.TB) {
	t.Helper()
	network, trust, err := settle.Begin(st.Genesis)
	if err != nil || network == "" {
		t.Fatal(network, err)
	}
	got, err := settle.Verify(trust, st.Called, claim)
	if err != nil || got.ID != [32]byte(st.ID) || got.Height != st.Height || got.Index != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	next, err := settle.Advance(trust, st.Update)
	must(t, err)
	parsed, err := bft.ParseTrust(next)
	if err != nil || len(parsed.Sets) != 2 || len(parsed.Sets[1].Validators) != 2 {
		t.Fatalf("%+v, %v", parsed, err)
	}
	if _, err := settle.Verify(next, st.Called, claim); err != nil {
		t.Error("what was settled before does not hold any more:", err)
	}
}

func TestOnlyWhatIsClaimedIsSettled(t *testing.T) {
	st, trust := told(t)
	st.holds(t)
	g, err := bft.ParseGenesis(st.Genesis)
	must(t, err)
	g.ChainID = "elsewhere"
	elsewhere := g.Trust().Encode()
	for _, c := range []struct {
		name         string
		trust, proof []byte
		edit         func(*settle.Claim)
	}{
		{"another network", elsewhere, st.Called, nil},
		{"no trust", nil, st.Called, nil},
		{"another subnet", trust, st.Called, func(c *settle.Claim) { c.Subnet = other.PublicKey() }},
		{"another requester", trust, st.Called, func(c *settle.Claim) { c.Requester = other.PublicKey() }},
		{"another command", trust, st.Called, func(c *settle.Claim) { c.Command[31]++ }},
		{"a call that failed", trust, st.Failed, func(c *settle.Claim) { c.Subnet = other.PublicKey() }},
		{"a transfer", trust, st.Paid, nil},
		{"nothing", trust, nil, nil},
		{"more behind it", trust, append(bytes.Clone(st.Called), 0), nil},
		{"too much", trust, make([]byte, settle.MaxProof+1), nil},
		{"an update", trust, st.Update, nil},
	} {
		want := claim
		if c.edit != nil {
			c.edit(&want)
		}
		if got, err := settle.Verify(c.trust, c.proof, want); fault.KindOf(err) != fault.Invalid || got != (settle.Settled{}) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for i := range st.Called {
		forged := bytes.Clone(st.Called)
		forged[i] ^= 1
		if _, err := settle.Verify(trust, forged, claim); fault.KindOf(err) != fault.Invalid {
			t.Errorf("byte %d of %d may be another: %v", i, len(forged), err)
		}
	}
}

func TestTrustAdvancesOnceForEachChange(t *testing.T) {
	st, trust := told(t)
	next, err := settle.Advance(trust, st.Update)
	must(t, err)
	for name, c := range map[string]struct{ trust, update []byte }{
		"twice":    {next, st.Update},
		"a proof":  {trust, st.Called},
		"nothing":  {trust, nil},
		"too much": {trust, make([]byte, settle.MaxUpdate+1)},
		"no trust": {nil, st.Update},
	} {
		if _, err := settle.Advance(c.trust, c.update); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range st.Update {
		forged := bytes.Clone(st.Update)
		forged[i] ^= 1
		if _, err := settle.Advance(trust, forged); fault.KindOf(err) != fault.Invalid {
			t.Errorf("byte %d of %d may be another: %v", i, len(forged), err)
		}
	}
	if _, _, err := settle.Begin([]byte("{}")); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// FuzzVerify gives any bytes as a proof: only the true one holds, and nothing
// panics.
func FuzzVerify(f *testing.F) {
	st, trust := told(f)
	for _, seed := range [][]byte{st.Called, st.Failed, st.Paid, st.Update, nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, proof []byte) {
		got, err := settle.Verify(trust, proof, claim)
		if (err == nil) != bytes.Equal(proof, st.Called) || err == nil && got.ID != [32]byte(st.ID) {
			t.Errorf("%x: %+v, %v", proof, got, err)
		}
	})
}

// FuzzAdvance gives any bytes as trust and update.
func FuzzAdvance(f *testing.F) {
	st, trust := told(f)
	f.Add(trust, st.Update)
	f.Add(trust, st.Called)
	f.Add(trust[:len(trust)-1], st.Update)
	f.Fuzz(func(t *testing.T, trust, update []byte) {
		next, err := settle.Advance(trust, update)
		if err != nil {
			return
		}
		if _, err := settle.Advance(next, update); err == nil {
			t.Errorf("%x is taken twice", update)
		}
	})
}
