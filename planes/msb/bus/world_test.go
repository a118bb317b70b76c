package bus_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/core/store"
	"intercom/planes/msb/bus"
)

var keysMade sync.Map

// key is a key of its own for each name.
func key(name string) *identity.Identity {
	made, ok := keysMade.Load(name)
	if !ok {
		made, _ = keysMade.LoadOrStore(name, identity.FromSeed(sha256.Sum256([]byte(name))))
	}
	return made.(*identity.Identity)
}

const network = "test-net"

// world is a bus in a store in memory with the accounts alice, bob, carol (rich),
// poor (0.05 TNK), admin, and validators v0, v1… with engine keys e0, e1….
type world struct {
	t       testing.TB
	space   *store.Space
	tree    *merkle.Map
	machine *bus.Machine
	height  uint64
	nonce   uint64
	root    merkle.Hash
}

func genesis(validators int) bus.Genesis {
	g := bus.Genesis{Network: network, Admin: key("admin").PublicKey().Address()}
	for _, name := range []string{"alice", "bob", "carol", "admin"} {
		g.Accounts = append(g.Accounts, bus.Funds{Address: key(name).PublicKey().Address(), Balance: amount("1000")})
	}
	g.Accounts = append(g.Accounts, bus.Funds{Address: key("poor").PublicKey().Address(), Balance: amount("0.05")})
	for i := range validators {
		g.Validators = append(g.Validators, bus.Founder{
			Key: key(fmt.Sprint("e", i)).PublicKey(), Operator: key(fmt.Sprint("v", i)).PublicKey().Address(),
		})
	}
	return g
}

func amount(text string) bus.Amount {
	a, err := bus.ParseAmount(text)
	if err != nil {
		panic(err)
	}
	return a
}

func newWorld(t testing.TB, validators int) *world {
	t.Helper()
	return found(t, genesis(validators))
}

func found(t testing.TB, g bus.Genesis) *world {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	space := s.Space("bus")
	w := &world{t: t, space: space, tree: merkle.Open(space, 2), machine: bus.NewMachine()}
	u := w.update()
	changes, err := g.Begin(u)
	if err != nil || len(changes) != len(g.Validators) {
		t.Fatal(changes, err)
	}
	w.write(u)
	return w
}

func (w *world) update() *merkle.Update {
	w.t.Helper()
	u, err := w.tree.Update()
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *world) write(u *merkle.Update) {
	w.t.Helper()
	batch := w.space.Batch()
	root, err := u.Write(batch, w.height)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := batch.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.root = root
}

// block is the next one, proposed by e0.
func (w *world) block(txs ...[]byte) bus.Block {
	return bus.Block{Height: w.height + 1, Proposer: bus.AddressOf(key("e0").PublicKey()), Txs: txs}
}

// apply executes a block and writes what it did.
func (w *world) apply(b bus.Block) bus.Outcome {
	w.t.Helper()
	u := w.update()
	out, err := w.machine.Execute(u, b)
	if err != nil {
		w.t.Fatal(err)
	}
	w.height = b.Height
	w.write(u)
	if out.Root != w.root {
		w.t.Fatalf("block %d promised root %s, wrote %s", b.Height, out.Root, w.root)
	}
	return out
}

// sign makes a transaction that is valid for ten blocks.
func (w *world) sign(who string, body bus.Body) []byte {
	w.nonce++
	tx := bus.Tx{Network: network, Expiry: w.height + 10, Body: body}
	binary.BigEndian.PutUint64(tx.Nonce[:], w.nonce)
	return tx.Sign(key(who)).Encode()
}

func (w *world) state() bus.State { return bus.Read(w.view()) }

func (w *world) view() *merkle.View {
	w.t.Helper()
	v, err := w.tree.Last()
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) account(name string) bus.Account {
	w.t.Helper()
	a, _, err := w.state().Account(key(name).PublicKey())
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) balance(name string) string { return w.account(name).Balance.String() }

// do applies a block of one transaction and tells its code.
func (w *world) do(who string, body bus.Body) bus.Code {
	w.t.Helper()
	return w.apply(w.block(w.sign(who, body))).Results[0].Code
}

func pay(to, text string) bus.Transfer {
	return bus.Transfer{To: key(to).PublicKey(), Amount: amount(text)}
}

// conserved checks the law: balances, stakes and what was burned are the supply.
func (w *world) conserved() {
	w.t.Helper()
	state := w.state()
	sum, err := state.Burned()
	if err != nil {
		w.t.Fatal(err)
	}
	prefix := bus.AccountLeaf(identity.PublicKey{})[:len("account/")]
	err = w.view().Scan(nil, func(leaf, value []byte) bool {
		if len(leaf) != len(prefix)+32 || string(leaf[:len(prefix)]) != string(prefix) {
			return true
		}
		a, err := bus.DecodeAccount(value)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, part := range []bus.Amount{a.Balance, a.Stake} {
			var ok bool
			if sum, ok = sum.Add(part); !ok {
				w.t.Fatal("more than there can be")
			}
		}
		return true
	})
	supply, errSupply := state.Supply()
	if err != nil || errSupply != nil || sum != supply {
		w.t.Fatalf("height %d: balances, stakes and burned are %s, the supply is %s (%v, %v)", w.height, sum, supply, err, errSupply)
	}
}

// random makes bodies of all kinds, good ones and bad ones.
func (w *world) random(r *rand.Rand) []byte {
	names := []string{"alice", "bob", "carol", "admin", "poor", "v0", "v1", "v2", "x", "y"}
	who, other := names[r.IntN(len(names))], names[r.IntN(len(names))]
	if r.IntN(3) == 0 {
		other = fmt.Sprint("n", r.IntN(1000))
	}
	var body bus.Body
	switch r.IntN(14) {
	case 0:
		body = bus.ProveDeployment(key(fmt.Sprint("subnet", r.IntN(20))), network, key(who).PublicKey(), [32]byte{1})
	case 1, 2:
		body = bus.Contract{Subnet: key(fmt.Sprint("subnet", r.IntN(20))).PublicKey(), Command: [32]byte{byte(r.IntN(255) + 1)}}
	case 3:
		who = "admin"
		body = bus.Whitelist{Account: key(other).PublicKey()}
	case 4:
		who = "admin"
		body = bus.Ban{Account: key(other).PublicKey()}
	case 5:
		body = bus.ProveValidator(key(fmt.Sprint("e", r.IntN(8))), network, key(who).PublicKey())
	case 6:
		body = bus.RemoveValidator{}
	default:
		body = pay(other, fmt.Sprintf("%d.%03d", r.IntN(3), r.IntN(1000)))
	}
	raw := w.sign(who, body)
	switch r.IntN(20) {
	case 0:
		raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
	case 1:
		raw = raw[:r.IntN(len(raw))]
	}
	return raw
}
