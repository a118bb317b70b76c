package sidechannel

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/identity"
	"intercom/core/store"
)

// trial is one drawing: what a sender and a receiver ask for, and who sends.
type trial struct {
	sender   string // owner, inviter, guest or stranger
	from, to rules
	invite   string // of a guest: valid, revoked (the receiver knows), untrusted or none
}

// rules is one side's policy, drawn.
type rules struct {
	owner, welcome, ownerWrite, inviteOnly bool
	need                                   Need
	bits                                   int
}

func draw(r *rand.Rand) trial {
	side := func() rules {
		return rules{
			owner: r.IntN(2) == 0, welcome: r.IntN(2) == 0, ownerWrite: r.IntN(4) == 0, inviteOnly: r.IntN(2) == 0,
			need: Need(r.IntN(3)), bits: []int{0, 0, 4}[r.IntN(3)],
		}
	}
	t := trial{sender: []string{"owner", "inviter", "guest", "stranger"}[r.IntN(4)], from: side(), to: side()}
	t.invite = []string{"valid", "valid", "revoked", "untrusted", "none"}[r.IntN(5)]
	return t
}

// sends is the oracle for the sender's own peer.
func (t trial) sends() bool {
	if t.from.inviteOnly && t.sender != "inviter" && !(t.sender == "guest" && (t.invite == "valid" || t.invite == "revoked")) {
		return false
	}
	return !t.from.ownerWrite || (t.from.owner && t.sender == "owner")
}

// delivered is the oracle for both.
func (t trial) delivered() bool {
	if !t.sends() || t.from.bits < t.to.bits {
		return false
	}
	// A guest shows its invite only where its own peer asks for one.
	shown := t.sender == "guest" && t.invite == "valid" && t.from.inviteOnly
	if t.to.inviteOnly && t.sender != "inviter" && !shown {
		return false
	}
	if t.to.ownerWrite && !(t.to.owner && t.sender == "owner") {
		return false
	}
	needed := t.to.need == NeedAlways || (t.to.need == NeedAuto && t.to.owner)
	return !needed || (t.to.owner && t.to.welcome)
}

func (t trial) policy(r rules) Policy {
	p := Policy{
		OwnerWrite: r.ownerWrite, InviteOnly: r.inviteOnly, NeedWelcome: r.need, Work: Work{Bits: r.bits},
		Rates: Rates{Unlimited: true},
	}
	if r.inviteOnly {
		p.Inviters = []identity.PublicKey{someone("inviter").PublicKey(), someone("me").PublicKey()}
	}
	if r.owner {
		p.Owners = map[ChannelName]identity.PublicKey{"trip": someone("owner").PublicKey()}
		if r.welcome {
			p.Welcomes = []*Welcome{Welcome{Channel: "trip", IssuedAt: time.Now().UnixMilli()}.sign(someone("owner"))}
		}
	}
	return p
}

// run lets the sender send, and tells what became of it.
func (t trial) run(tb testing.TB, disk *store.Store, n int) (sent, delivered, receipt bool) {
	net := newSimnet()
	open := func(name string, r rules) *peer {
		p := &peer{id: someone(name), hub: event.NewHub(name, event.Limits{}), store: disk}
		p.node = net.node(p.id.PublicKey())
		plane, err := New(Config{Policy: t.policy(r)}, p.node, p.id, p.hub, disk.Space(fmt.Sprint(name, n)), slog.New(slog.DiscardHandler))
		if err != nil {
			tb.Fatal(err)
		}
		p.Plane = plane
		plane.serve()
		return p
	}
	sender, me := open(t.sender, t.from), open("me", t.to)
	net.link(sender.id.PublicKey(), me.id.PublicKey())
	t.prepare(tb, sender, me)
	if _, err := me.Join(tb.Context(), "trip"); err != nil {
		tb.Fatalf("%+v: %v", t, err)
	}
	id, _, err := sender.Send(tb.Context(), "trip", []byte("1"))
	net.flush()
	for _, p := range []*peer{sender, me} {
		defer p.end()
	}
	if err != nil {
		return false, len(me.events(tb, "sidechannel_message")) > 0, false
	}
	delivered = len(me.events(tb, "sidechannel_message")) > 0
	receipts := sender.collect(tb.Context(), question("trip", id), []identity.PublicKey{me.id.PublicKey()}, 5*time.Second*boolTo(delivered)+time.Millisecond)
	return true, delivered, len(receipts) > 0
}

func boolTo(yes bool) time.Duration {
	if yes {
		return 1
	}
	return 0
}

// prepare hands the sender its invite, and the receiver its knowledge.
func (t trial) prepare(tb testing.TB, sender, me *peer) {
	if t.sender != "guest" || t.invite == "none" || !t.from.inviteOnly {
		return
	}
	by := someone("inviter")
	if t.invite == "untrusted" {
		by = someone("mallory")
	}
	now := time.Now()
	law, err := sender.law("trip")
	if err != nil {
		tb.Fatal(err)
	}
	_, err = law.accept(newInvite(by, "trip", sender.id.PublicKey(), now.Add(-time.Second), time.Hour), now)
	if (err == nil) != (t.invite != "untrusted") {
		tb.Fatalf("%+v: accepting says %v", t, err)
	}
	if t.invite == "revoked" && t.to.inviteOnly {
		theirs, err := me.law("trip")
		if err != nil {
			tb.Fatal(err)
		}
		if !theirs.Revoke([][]byte{newRevocation(by, "trip", sender.id.PublicKey(), now).JSON()}, now) {
			tb.Fatalf("%+v: not revoked", t)
		}
	}
}

// TestProofPolicyOracle draws combinations of policies, senders and receivers: a
// message is delivered exactly when the policies say so, and receipts agree.
func TestProofPolicyOracle(t *testing.T) {
	trials := 300
	if os.Getenv("INTERCOM_PROOF") != "" {
		trials = 10_000
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	disk := newStore(t)
	heard := 0
	for n := range trials {
		c := draw(r)
		sent, delivered, receipt := c.run(t, disk, n)
		if sent != c.sends() || delivered != c.delivered() || receipt != delivered {
			t.Fatalf("seed %d, trial %d: %+v\nsent %v, delivered %v, receipt %v; the oracle says sent %v, delivered %v",
				seed, n, c, sent, delivered, receipt, c.sends(), c.delivered())
		}
		if delivered {
			heard++
		}
	}
	t.Logf("PROOF policies: %d random trials, %d delivered, 0 wrong, 0 false receipts (seed %d)", trials, heard, seed)
}
