package bft_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/store"
)

func TestReplicaGoesOnBehindABlockItNeverSaw(t *testing.T) {
	sites := town(t, 2)
	for i := range 6 {
		sites[i%2].confirm(fmt.Sprint("tx", i))
	}
	tip := sites[0].settled()
	server := served(t, "one", sites[0].node)
	d := follow(t, sites[0].genesis, nil, server)
	block, err := sites[0].node.Block(tip - 1)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	space, set := memory.Space("replica"), sites[0].genesis.Validators

	resume := func(height int64, state bft.Hash, next []bft.Validator) error {
		return d.Resume(t.Context(), height, state, next, space)
	}
	if err := resume(tip-1, bft.Hash{1}, set); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another state: %v", err)
	}
	if err := resume(tip-1, block.After, set[:1]); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another set: %v", err)
	}
	if err := resume(tip, block.After, set); err == nil {
		t.Error("behind a block that no header proves")
	}
	if err := resume(tip-1, block.After, set); err != nil {
		t.Fatal(err)
	}

	raw := binary.BigEndian.AppendUint64(nil, uint64(tip-1))
	raw = append(binary.BigEndian.AppendUint64(raw, sites[0].app.total()), block.After[:]...)
	b := memory.Space("app/replica").Batch()
	b.Set([]byte("s"), raw)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	app := newTally(memory, "replica")
	r, err := bft.NewReplica(sites[0].genesis, app, space)
	if err != nil {
		t.Fatal(err)
	}
	sites[0].confirm("after")
	for end := sites[0].settled(); r.Height() < end; {
		if _, err := r.Ask(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	if _, state, _ := app.Last(); state != sites[0].node.Status().State {
		t.Errorf("the replica comes to %s", state)
	}
}
