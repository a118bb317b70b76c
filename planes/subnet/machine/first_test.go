package machine

import (
	"bytes"
	"testing"

	"intercom/core/fault"
)

func TestFirstEntryMakesTheSubnet(t *testing.T) {
	w := newWorld(t, true)
	s, err := SettingsOf(w.state)
	if err != nil || s.Settlement != network || string(s.Trust) != "trust" || s.Writers != 4 || len(s.Indexers) != 1 || !s.Transactions || !s.Admin.IsZero() {
		t.Errorf("the settings are %+v, %v", s, err)
	}
	for name, text := range map[string]string{"chain": "the chain's genesis", "network": "the network's genesis"} {
		if whole, ok, err := DocumentIn(w.state, DocumentOf([]byte(text)).Hash); err != nil || !ok || string(whole) != text {
			t.Errorf("%s: %q, %v", name, whole, err)
		}
	}
	if _, ok, err := DocumentIn(w.state, [32]byte{1}); ok || err != nil {
		t.Errorf("a document that nobody named is there, %v", err)
	}
}

func TestFirstEntriesThatAreNone(t *testing.T) {
	w := emptyWorld(t, tester())
	first := w.first(false)
	raw, _ := Encode(first)
	other := w.raw(bob, raw)
	if err := w.m.Begin(w.state, other, 1); fault.KindOf(err) != fault.Invalid {
		t.Errorf("anybody begins a subnet: %v", err)
	}
	admin, _ := Encode(&AddAdmin{key(bob)})
	e := w.raw(boot, admin)
	if e.Parents = nil; fault.KindOf(w.m.Begin(w.state, e, 1)) != fault.Invalid {
		t.Error("any entry begins a subnet")
	}
	later := w.raw(boot, raw)
	if fault.KindOf(w.m.Check(later)) != fault.Invalid {
		t.Error("a first entry has parents")
	}
}

// Documents that are too large come in chunks, in order, from their author alone.
func TestDocumentsInChunks(t *testing.T) {
	trust := bytes.Repeat([]byte("trust"), ChunkSize/2)
	genesis := bytes.Repeat([]byte("genesis"), 3)
	w := emptyWorld(t, tester())
	first := w.first(false)
	first.Settlement = &Settlement{network, DocumentOf(genesis), DocumentOf(trust)}
	if err := w.m.Begin(w.state, w.entry(boot, first), 1); err != nil {
		t.Fatal(err)
	}
	hash := DocumentOf(trust).Hash
	chunks := Chunks(trust)
	command := w.command(bob, "ping", "null")
	w.refused(bob, w.pay(command, 1, nil), fault.Unavailable)
	w.refused(eve, chunks[0], fault.Denied)
	w.refused(boot, chunks[1], fault.Conflict)
	w.refused(boot, &Chunk{hash, 0, trust[:10]}, fault.Invalid)
	w.refused(boot, &Chunk{hash, 1 << 52, trust[:10]}, fault.Invalid)
	w.refused(boot, &Chunk{[32]byte{1}, 0, trust[:10]}, fault.NotFound)
	w.refused(boot, &MsbSet{[]byte("x")}, fault.Conflict)
	for i, chunk := range chunks {
		if s, _ := SettingsOf(w.state); s.Trust != nil {
			t.Fatalf("trusted after %d of %d chunks", i, len(chunks))
		}
		w.do(boot, chunk)
	}
	w.refused(boot, chunks[0], fault.Conflict)
	if s, err := SettingsOf(w.state); err != nil || !bytes.Equal(s.Trust, trust) {
		t.Errorf("trust of %d bytes, %v", len(s.Trust), err)
	}
	if whole, ok, err := DocumentIn(w.state, hash); err != nil || !ok || !bytes.Equal(whole, trust) {
		t.Errorf("%d bytes, %v", len(whole), err)
	}
}

// What is sent in chunks has to be what was named: else nobody is ever trusted.
func TestForgedChunksAreNotTrusted(t *testing.T) {
	trust := bytes.Repeat([]byte("trust"), ChunkSize/5)
	w := emptyWorld(t, tester())
	first := w.first(false)
	first.Settlement = &Settlement{network, DocumentOf([]byte("genesis")), DocumentOf(trust)}
	if err := w.m.Begin(w.state, w.entry(boot, first), 1); err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(trust)
	forged[0]++
	w.do(boot, &Chunk{DocumentOf(trust).Hash, 0, forged})
	s, err := SettingsOf(w.state)
	if _, ok, _ := DocumentIn(w.state, DocumentOf(trust).Hash); ok || s.Trust != nil || err != nil {
		t.Error("a forged document is trusted")
	}
}

// Admission is monotone: who ever could write is admitted for good.
func TestAdmissionStays(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	e := w.entry(eve, &Command{key(eve), "ping", []byte("null")})
	if err := w.m.Admit(w.state, e); err != nil {
		t.Fatal(err)
	}
	w.do(adminKey, &RemoveWriter{key(eve)})
	if err := w.m.Admit(w.state, e); err != nil {
		t.Errorf("what was admitted no longer is: %v", err)
	}
	w.refusedEntry(e, fault.Denied)
	if err := w.m.Admit(w.state, w.raw(eve, []byte("x"))); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	broken := &failing{Storage: w.state}
	if err := w.m.Admit(broken, e); err != errDisk {
		t.Errorf("got %v", err)
	}
	if now, ever, err := MayWrite(w.state, key(eve)); now || !ever || err != nil {
		t.Error("eve still writes, or never did")
	}
}
