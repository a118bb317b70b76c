package bus_test

import (
	"errors"
	"testing"

	"intercom/planes/msb/bus"
)

var errBroken = errors.New("the disk is broken")

// breaking is a source that answers so many reads and then fails.
type breaking struct {
	bus.Source
	reads int
}

func (b *breaking) Get(key []byte) ([]byte, bool, error) {
	if b.reads--; b.reads < 0 {
		return nil, false, errBroken
	}
	return b.Source.Get(key)
}

// Whichever read fails, the answer is the error and never a verdict.
func TestABrokenDiskIsNeverAVerdict(t *testing.T) {
	w := newWorld(t, 1)
	raw := w.sign("alice", pay("bob", "1"))
	whole := &breaking{Source: w.view(), reads: 1 << 20}
	if result, err := w.machine.Check(whole, 1, raw); err != nil || result.Code != bus.OK {
		t.Fatal(result, err)
	}
	needed := 1<<20 - whole.reads
	if needed < 4 {
		t.Fatalf("only %d reads", needed)
	}
	for reads := range needed {
		source := func() bus.Source { return &breaking{Source: w.view(), reads: reads} }
		if _, err := w.machine.Check(source(), 1, raw); !errors.Is(err, errBroken) {
			t.Errorf("check after %d reads: %v", reads, err)
		}
		if trial, err := w.machine.Try(source(), w.block(raw)); trial.Settles() || !errors.Is(err, errBroken) {
			t.Errorf("vote after %d reads: %t, %v", reads, trial.Settles(), err)
		}
		if _, err := w.machine.Pick(source(), w.block(raw), 1<<20); !errors.Is(err, errBroken) {
			t.Errorf("choice after %d reads: %v", reads, err)
		}
		p := bus.NewPool(w.machine, 10)
		if _, err := p.Admit(source(), 1, raw); !errors.Is(err, errBroken) {
			t.Errorf("admission after %d reads: %v", reads, err)
		}
		if n, _ := p.Pending(key("alice").PublicKey()); n != 0 {
			t.Errorf("after %d reads it is pending", reads)
		}
	}
}
