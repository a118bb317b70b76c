package msb_test

import (
	"context"
	"testing"

	"intercom/core/fault"
	"intercom/planes/msb/settle"
)

// proves settles a claim's command at a peer and checks the proof like a contract.
func (s *somebody) proves(ctx context.Context, trust []byte, claim settle.Claim) [32]byte {
	s.t.Helper()
	hash, err := s.plane.Settle(ctx, claim.Command, claim.Subnet, claim.Command)
	if err != nil {
		s.t.Fatal(err, fault.Of(err).Hint)
	}
	s.shows(ctx, trust, claim, hash)
	return hash
}

func (s *somebody) shows(ctx context.Context, trust []byte, claim settle.Claim, hash [32]byte) {
	s.t.Helper()
	proof, err := s.plane.Proof(ctx, hash)
	if err != nil {
		s.t.Fatal(err)
	}
	if got, err := settle.Verify(trust, proof, claim); err != nil || got.ID != hash {
		s.t.Errorf("%+v, %v", got, err)
	}
}

func TestASubnetSettlesItsCommands(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a := start(t, "alice", t.TempDir(), "")
	genesis, err := a.plane.Genesis(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, trust, err := settle.Begin(genesis)
	if err != nil {
		t.Fatal(err)
	}
	subnet := someone("subnet")
	claim := settle.Claim{Subnet: subnet.PublicKey(), Requester: a.id.PublicKey(), Command: [32]byte{1}}
	if _, err := a.plane.Settle(ctx, claim.Command, claim.Subnet, claim.Command); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a subnet that is not registered: %v", err)
	}
	deployed, err := a.plane.Deploy(ctx, subnet, [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.plane.Proof(ctx, deployed); err != nil {
		t.Fatal(err)
	}
	if known, err := a.plane.Deployed(ctx, claim.Subnet); err != nil || !known {
		t.Error(known, err)
	}
	if again, err := a.plane.Deploy(ctx, subnet, [32]byte{9}); err != nil || again != deployed {
		t.Errorf("the same deployment again: %x, %v", again, err)
	}
	if _, err := a.plane.Deploy(ctx, subnet, [32]byte{8}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another deployment of the subnet: %v", err)
	}
	hash := a.proves(ctx, trust, claim)
	if again, err := a.plane.Settle(ctx, claim.Command, claim.Subnet, claim.Command); err != nil || again != hash {
		t.Errorf("the same command again: %x, %v", again, err)
	}
	if updates, err := a.plane.Updates(ctx, 1); err != nil || len(updates) != 0 {
		t.Error(updates, err)
	}

	// Another peer settles through its light client, and shows what others have settled.
	b := start(t, "bob", t.TempDir(), a.plane.Running().Genesis.String(), a.host.Addrs()...)
	b.shows(ctx, trust, claim, hash)
	if own := b.proves(ctx, trust, settle.Claim{Subnet: claim.Subnet, Requester: b.id.PublicKey(), Command: claim.Command}); own == hash {
		t.Error("two requesters have one transaction")
	}
}

func TestOfTwoDeploymentsOneFails(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a := start(t, "alice", t.TempDir(), "")
	subnet := someone("subnet")
	first, err := a.plane.Deploy(ctx, subnet, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.plane.Deploy(ctx, subnet, [32]byte{2})
	if err != nil && fault.KindOf(err) != fault.Conflict { // the first was settled meanwhile
		t.Fatal(err)
	}
	// Both may be on their way at once, and then either may come first.
	loser := byte(2)
	if _, lost := a.plane.Proof(ctx, first); lost != nil {
		if loser = 1; err != nil || fault.KindOf(lost) != fault.Conflict {
			t.Fatalf("the first deployment: %v, the second: %v", lost, err)
		}
	}
	if err == nil {
		_, lost := a.plane.Proof(ctx, second)
		if (lost == nil) != (loser == 1) || lost != nil && fault.KindOf(lost) != fault.Conflict {
			t.Errorf("deployment %d failed, the second: %v", loser, lost)
		}
	}
	// It is tried anew, and refused before anything is signed.
	if _, err := a.plane.Deploy(ctx, subnet, [32]byte{loser}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("deployment %d again: %v", loser, err)
	}
}
