package bus_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/planes/msb/bus"
)

func TestATransferMovesTheAmountAndCostsTheFee(t *testing.T) {
	w := newWorld(t, 1)
	if code := w.do("alice", pay("new", "12.5")); code != bus.OK {
		t.Fatal(code)
	}
	burned, err := w.state().Burned()
	got := fmt.Sprint(w.balance("alice"), " ", w.balance("new"), " ", w.balance("v0"), " ", burned, " ", err)
	if want := "987.47 12.5 0.0225 0.0075 <nil>"; got != want {
		t.Errorf("alice, new, validator, burned are %s; want %s", got, want)
	}
	w.conserved()
}

// Upstream's table, and that nobody earns from his own fee.
func TestTheFeeIsDistributedByTheTable(t *testing.T) {
	subnet := key("subnet").PublicKey()
	call := bus.Contract{Subnet: subnet, Command: [32]byte{1}}
	for _, c := range []struct {
		name, requester, deployer      string
		body                           bus.Body
		toValidator, toDeployer, burnt string
	}{
		{"call of a third party's subnet", "alice", "bob", call, "0.015", "0.0075", "0.0075"},
		{"call of one's own subnet", "alice", "alice", call, "0.015", "0", "0.015"},
		{"call of the validator's subnet", "alice", "v0", call, "0.0225", "0.0225", "0.0075"},
		{"call by the validator", "v0", "bob", call, "0", "0.0075", "0.0225"},
		{"transfer", "alice", "bob", pay("carol", "0"), "0.0225", "0", "0.0075"},
		{"transfer by the validator", "v0", "bob", pay("carol", "0"), "0", "0", "0.03"},
		{"whitelist", "admin", "bob", bus.Whitelist{Account: key("carol").PublicKey()}, "0", "0", "0.03"},
	} {
		w := newWorld(t, 1)
		w.do("carol", pay("v0", "5"))
		w.do(c.deployer, bus.ProveDeployment(key("subnet"), network, key(c.deployer).PublicKey(), [32]byte{1}))
		read := func() (validator, deployer, burned bus.Amount) {
			burned, err := w.state().Burned()
			if err != nil {
				t.Fatal(err)
			}
			return w.account("v0").Balance, w.account(c.deployer).Balance, burned
		}
		v0, d0, b0 := read()
		if code := w.do(c.requester, c.body); code != bus.OK {
			t.Fatal(c.name, code)
		}
		v1, d1, b1 := read()
		gained := func(after, before bus.Amount) string {
			d, ok := after.Sub(before)
			if !ok {
				return "0" // it paid
			}
			return d.String()
		}
		if got := fmt.Sprint(gained(v1, v0), " ", gained(d1, d0), " ", gained(b1, b0)); got != fmt.Sprint(c.toValidator, " ", c.toDeployer, " ", c.burnt) {
			t.Errorf("%s: validator, deployer and burned get %s; want %s %s %s", c.name, got, c.toValidator, c.toDeployer, c.burnt)
		}
		w.conserved()
	}
}

// What is refused gets the right code and changes nothing but the height.
func TestBadInputGetsItsCodeAndChangesNothing(t *testing.T) {
	w := newWorld(t, 1)
	w.apply(w.block(w.sign("alice", pay("bob", "1"))))
	tx := func(change func(*bus.Tx)) []byte {
		tx := bus.Tx{Network: network, Nonce: bus.Nonce{9}, Expiry: w.height + 5, Body: pay("bob", "1")}
		change(&tx)
		return tx.Sign(key("alice")).Encode()
	}
	forged := tx(func(*bus.Tx) {})
	forged[len(forged)-1] ^= 1
	taken := w.sign("alice", pay("bob", "2"))
	w.apply(w.block(taken))
	alice := key("alice").PublicKey()
	for name, c := range map[string]struct {
		raw  []byte
		want bus.Code
	}{
		"nothing":            {nil, bus.TxInvalidPayload},
		"text":               {[]byte("transfer 5 to bob"), bus.TxInvalidPayload},
		"too large":          {make([]byte, bus.MaxTx+1), bus.TxInvalidPayload},
		"another network":    {tx(func(x *bus.Tx) { x.Network = "other" }), bus.MSBBootstrapMismatch},
		"no network":         {tx(func(x *bus.Tx) { x.Network = "" }), bus.TxInvalidPayload},
		"long network":       {tx(func(x *bus.Tx) { x.Network = strings.Repeat("n", 51) }), bus.TxInvalidPayload},
		"no nonce":           {tx(func(x *bus.Tx) { x.Nonce = bus.Nonce{} }), bus.SchemaValidationFailed},
		"expired":            {tx(func(x *bus.Tx) { x.Expiry = w.height }), bus.TxExpired},
		"valid for too long": {tx(func(x *bus.Tx) { x.Expiry = w.height + 2 + bus.MaxLife }), bus.TxExpiryTooFar},
		"never expiring":     {tx(func(x *bus.Tx) { x.Expiry = 1<<64 - 1 }), bus.TxExpiryTooFar},
		"replayed":           {taken, bus.TxAlreadyExists},
		"forged":             {forged, bus.TxSignatureInvalid},
		"nobody's transfer":  {w.sign("nobody", pay("bob", "0")), bus.TransferSenderNotFound},
		"nobody's call":      {w.sign("nobody", bus.Contract{Subnet: alice, Command: [32]byte{1}}), bus.RequesterNotFound},
		"to nobody":          {tx(func(x *bus.Tx) { x.Body = bus.Transfer{Amount: amount("1")} }), bus.SchemaValidationFailed},
		"another's subnet": {w.sign("alice", bus.ProveDeployment(key("subnet"), network, key("bob").PublicKey(), [32]byte{1})),
			bus.ControlProofInvalid},
		"another network's subnet": {w.sign("alice", bus.ProveDeployment(key("subnet"), "other", alice, [32]byte{1})),
			bus.ControlProofInvalid},
		"another's validator key": {w.sign("alice", bus.ProveValidator(key("e9"), network, key("bob").PublicKey())), bus.ControlProofInvalid},
	} {
		check, err := w.machine.Check(w.view(), w.height+1, c.raw)
		if err != nil || check.Code != c.want || check.Text == "" {
			t.Errorf("%s: checked as %s (%s), %v; want %s", name, check.Code, check.Text, err, c.want)
		}
		if trial, err := w.machine.Try(w.view(), w.block(c.raw)); trial.Settles() || err != nil {
			t.Errorf("%s: a proposal that has it is accepted, %v", name, err)
		}
		u := w.update()
		out, err := w.machine.Execute(u, w.block(c.raw))
		if err != nil || out.Results[0].Code != c.want || out.Results[0].Settled {
			t.Errorf("%s: %+v, %v; want %s", name, out.Results[0], err, c.want)
		}
		for _, who := range []string{"alice", "bob", "v0"} {
			if a, _, err := bus.Read(u).Account(key(who).PublicKey()); a != w.account(who) || err != nil {
				t.Errorf("%s: account %s became %+v, %v", name, who, a, err)
			}
		}
		if out.Root == w.root {
			t.Errorf("%s: a block of failures did not change the root", name)
		}
	}
	w.conserved()
}

// What can come true or cease while a transaction waits costs the fee, leaves its
// code in the state, and does nothing else.
func TestWhatFailsInABlockPaysAndIsRecorded(t *testing.T) {
	deploy := func(who string) bus.Body {
		return bus.ProveDeployment(key("subnet"), network, key(who).PublicKey(), [32]byte{1})
	}
	for _, c := range []struct {
		name, who string
		before    []bus.Body // by the same
		body      bus.Body
		want      bus.Code
	}{
		{"more than there is", "poor", nil, pay("bob", "0.03"), bus.TransferInsufficientBalance},
		{"2^128 - 1", "alice", nil, bus.Transfer{To: key("bob").PublicKey(), Amount: bus.MaxAmount}, bus.TransferAmountTooLarge},
		{"unknown subnet", "alice", nil, bus.Contract{Subnet: key("s").PublicKey(), Command: [32]byte{1}}, bus.ExternalBootstrapNotDeployed},
		{"deployed twice", "alice", []bus.Body{deploy("alice")}, deploy("alice"), bus.BootstrapAlreadyExists},
		{"not whitelisted", "alice", nil, bus.ProveValidator(key("e9"), network, key("alice").PublicKey()), bus.RoleNodeNotWhitelisted},
		{"no validator", "alice", nil, bus.RemoveValidator{}, bus.RoleNodeNotWriter},
		{"no admin", "alice", nil, bus.Whitelist{Account: key("bob").PublicKey()}, bus.RoleNotAdmin},
		{"no admin bans", "alice", nil, bus.Ban{Account: key("v0").PublicKey()}, bus.RoleNotAdmin},
		{"ban of nobody", "admin", nil, bus.Ban{Account: key("x").PublicKey()}, bus.RoleNodeEntryNotFound},
		{"ban of a reader", "admin", nil, bus.Ban{Account: key("bob").PublicKey()}, bus.RoleNodeNotWhitelisted},
		{"ban of the last", "admin", nil, bus.Ban{Account: key("v0").PublicKey()}, bus.RoleLastValidator},
		{"whitelisted twice", "admin", []bus.Body{bus.Whitelist{Account: key("bob").PublicKey()}},
			bus.Whitelist{Account: key("bob").PublicKey()}, bus.RoleAlreadyWhitelisted},
	} {
		w := newWorld(t, 1)
		for _, body := range c.before {
			if code := w.do(c.who, body); code != bus.OK {
				t.Fatal(c.name, code)
			}
		}
		had, seats := w.account(c.who).Balance, w.seats()
		raw := w.sign(c.who, c.body)
		if check, err := w.machine.Check(w.view(), w.height+1, raw); err != nil || check.Code != c.want {
			t.Errorf("%s: checked as %s, %v; want %s", c.name, check.Code, err, c.want)
		}
		result := w.apply(w.block(raw)).Results[0]
		if result.Code != c.want || !result.Settled {
			t.Errorf("%s: %+v, want %s", c.name, result, c.want)
		}
		if record, ok, err := w.state().Tx(result.ID); err != nil || !ok || record != (bus.Record{Height: w.height, Code: c.want}) {
			t.Errorf("%s: recorded as %+v, %t, %v", c.name, record, ok, err)
		}
		if paid, _ := had.Sub(w.account(c.who).Balance); paid != bus.Fee {
			t.Errorf("%s: it cost %s", c.name, paid)
		}
		if after := w.seats(); !slices.Equal(seats, after) {
			t.Errorf("%s: seats %v became %v", c.name, seats, after)
		}
		w.conserved()
	}
}

func (w *world) seats() []bus.Seat {
	w.t.Helper()
	seats, err := w.state().Validators()
	if err != nil {
		w.t.Fatal(err)
	}
	return seats
}

func TestATransferToOneselfOrOfNothingCostsTheFeeAlone(t *testing.T) {
	w := newWorld(t, 1)
	for _, body := range []bus.Body{pay("alice", "999"), pay("alice", "100000"), pay("bob", "0")} {
		if code := w.do("alice", body); code != bus.OK {
			t.Error(code)
		}
	}
	if got := w.balance("alice") + " " + w.balance("bob"); got != "999.91 1000" {
		t.Errorf("alice and bob have %s", got)
	}
}

func TestASecondSignatureIsTheSameTransaction(t *testing.T) {
	w := newWorld(t, 1)
	raw := w.sign("alice", pay("bob", "1"))
	out := w.apply(w.block(raw, raw))
	if a, b := out.Results[0], out.Results[1]; a.Code != bus.OK || b.Code != bus.TxAlreadyExists || b.Settled || a.ID != b.ID {
		t.Errorf("%+v, then %+v", a, b)
	}
}

func TestOnlyAnEmptyBlockLeavesTheRoot(t *testing.T) {
	w := newWorld(t, 1)
	seen := map[merkle.Hash]bool{w.root: true}
	for i, txs := range [][][]byte{{}, {nil}, {}, {[]byte("x")}, {[]byte("x")}, {}, {w.sign("alice", pay("bob", "0"))}, {}} {
		w.apply(w.block(txs...))
		if seen[w.root] != (len(txs) == 0) {
			t.Errorf("block %d of %d transactions: root seen before: %t", i+1, len(txs), seen[w.root])
		}
		seen[w.root] = true
	}
	if height, err := w.state().Height(); height != 7 || err != nil {
		t.Errorf("the last block that was not empty is %d, %v", height, err)
	}
}

func TestAProposalHoldsWhatCanBeSettled(t *testing.T) {
	w := newWorld(t, 1)
	good := w.sign("alice", pay("bob", "1"))
	once := w.sign("poor", pay("bob", "0")) // 0.05: one fee, not two
	twice := w.sign("poor", pay("bob", "0"))
	after := w.sign("new", pay("bob", "0"))
	before := w.sign("alice", pay("new", "1"))
	block := w.block(good, []byte("x"), good, once, twice, before, after)
	chosen, err := w.machine.Pick(w.view(), block, 1<<20)
	if want := [][]byte{good, once, before, after}; err != nil || !slices.EqualFunc(chosen.Txs(), want, slices.Equal) {
		t.Fatalf("%d transactions were chosen, %v", len(chosen.Txs()), err)
	}
	if chosen.Of(block) || !chosen.Settles() {
		t.Error("the choice is the trial of what it was chosen from")
	}
	block.Txs = chosen.Txs()
	if trial, err := w.machine.Try(w.view(), block); err != nil || !trial.Settles() || !trial.Of(block) || !chosen.Of(block) {
		t.Error("its own proposal is refused", err)
	}
	small, err := w.machine.Pick(w.view(), block, int64(len(good)+20))
	if err != nil || len(small.Txs()) != 1 {
		t.Errorf("%d transactions fit into the space of one, %v", len(small.Txs()), err)
	}
	if height := w.height; w.root != w.view().Root() || height != 0 {
		t.Error("choosing changed the state")
	}
}

// A transaction that is not in the state when its expiry has passed can never be.
func TestAbsenceAfterExpiryIsProof(t *testing.T) {
	w := newWorld(t, 1)
	lost := w.sign("alice", pay("bob", "1"))
	s, _ := bus.Decode(lost)
	w.height = s.Expiry
	w.apply(bus.Block{Height: s.Expiry + 1, Txs: [][]byte{lost}})
	view := w.view()
	_, ok, proof, err := view.Prove(bus.TxLeaf(s.ID))
	if ok || err != nil || merkle.VerifyAbsent(view.Root(), bus.TxLeaf(s.ID), proof) != nil {
		t.Error("an expired transaction is not provably absent", ok, err)
	}
	done := w.sign("alice", pay("bob", "1"))
	out := w.apply(w.block(done))
	view = w.view()
	value, _, proof, err := view.Prove(bus.TxLeaf(out.Results[0].ID))
	if err != nil || merkle.VerifyPresent(view.Root(), bus.TxLeaf(out.Results[0].ID), value, proof) != nil {
		t.Error("a settled transaction is not provable", err)
	}
}

func TestAGenesisIsReadStrictly(t *testing.T) {
	good := genesis(2)
	raw, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	read, err := bus.ParseGenesis(raw)
	if err != nil || found(t, read).root != found(t, good).root {
		t.Fatal("a genesis is not read as it was written", err)
	}
	alice := key("alice").PublicKey().Address()
	for name, change := range map[string]func(*bus.Genesis){
		"no network":        func(g *bus.Genesis) { g.Network = "" },
		"bad network":       func(g *bus.Genesis) { g.Network = "Main Net" },
		"no validators":     func(g *bus.Genesis) { g.Validators = nil },
		"one twice":         func(g *bus.Genesis) { g.Validators[1] = g.Validators[0] },
		"one key twice":     func(g *bus.Genesis) { g.Validators[1].Key = g.Validators[0].Key },
		"empty key":         func(g *bus.Genesis) { g.Validators[0].Key = identity.PublicKey{} },
		"one account twice": func(g *bus.Genesis) { g.Accounts = append(g.Accounts, bus.Funds{Address: alice}) },
		"bad address":       func(g *bus.Genesis) { g.Accounts[0].Address = "trac1x" },
		"bad admin":         func(g *bus.Genesis) { g.Admin = "me" },
		"too much":          func(g *bus.Genesis) { g.Accounts[0].Balance = bus.MaxAmount },
	} {
		g := genesis(2)
		change(&g)
		if err := g.Check(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "null x", `{"network":"n","typo":1}`, string(raw) + "{}", `[]`} {
		if _, err := bus.ParseGenesis([]byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q is read: %v", text, err)
		}
	}
}
