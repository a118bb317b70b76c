package bus_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"intercom/planes/msb/bus"
)

var update = flag.Bool("update", false, "write the golden files again")

// bodies are one of each kind, by alice.
func bodies() map[string]bus.Body {
	alice := key("alice").PublicKey()
	return map[string]bus.Body{
		"TRANSFER":             pay("bob", "1.5"),
		"TX":                   bus.Contract{Subnet: key("subnet").PublicKey(), Command: [32]byte{1}},
		"BOOTSTRAP_DEPLOYMENT": bus.ProveDeployment(key("subnet"), network, alice, [32]byte{2}),
		"ADD_WRITER":           bus.ProveValidator(key("engine"), network, alice),
		"REMOVE_WRITER":        bus.RemoveValidator{},
		"APPEND_WHITELIST":     bus.Whitelist{Account: key("bob").PublicKey()},
		"BAN_VALIDATOR":        bus.Ban{Account: key("bob").PublicKey()},
	}
}

func signed(body bus.Body) *bus.Signed {
	return bus.Tx{Network: network, Nonce: bus.Nonce{1, 2, 3}, Expiry: 1000, Body: body}.Sign(key("alice"))
}

func TestGoldenTransactions(t *testing.T) {
	got := map[string]map[string]string{}
	for name, body := range bodies() {
		s := signed(body)
		if kind := bus.KindOf(body).String(); kind != name {
			t.Errorf("%s is called %s", name, kind)
		}
		got[name] = map[string]string{"id": s.ID.String(), "bytes": hex.EncodeToString(s.Encode())}
	}
	raw, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/transactions.json"
	if *update {
		if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(bytes.TrimSpace(want), raw) {
		t.Fatalf("the bytes of transactions changed, %v:\n%s", err, raw)
	}
}

func TestATransactionIsReadAsItWasWritten(t *testing.T) {
	for name, body := range bodies() {
		s := signed(body)
		got, refused := bus.Decode(s.Encode())
		if refused.Code != bus.OK || got.Tx != s.Tx || got.ID != s.ID || got.Signature != s.Signature {
			t.Errorf("%s: %+v, %v", name, got, refused)
		}
	}
}

// Whatever bit is changed, the transaction is refused: nothing in it is free.
func TestAChangedTransactionIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	for name, body := range bodies() {
		raw := signed(body).Encode()
		for bit := range 8 * len(raw) {
			bad := bytes.Clone(raw)
			bad[bit/8] ^= 1 << (bit % 8)
			result, err := w.machine.Check(w.view(), 1, bad)
			if err != nil || result.Code == bus.OK || !refused(result) {
				t.Errorf("%s with bit %d changed: %v, %v", name, bit, result, err)
			}
		}
		for size := range len(raw) {
			if _, result := bus.Decode(raw[:size]); result.Code == bus.OK {
				t.Errorf("%s is read from %d of %d bytes", name, size, len(raw))
			}
		}
		if _, result := bus.Decode(append(bytes.Clone(raw), 0)); result.Code == bus.OK {
			t.Errorf("%s is read with a byte more", name)
		}
	}
}

// refused tells whether the code is one that comes before the fee.
func refused(r bus.Result) bool {
	switch r.Code {
	case bus.TxInvalidPayload, bus.SchemaValidationFailed, bus.OperationTypeUnknown, bus.MSBBootstrapMismatch,
		bus.TxSignatureInvalid, bus.ControlProofInvalid, bus.TxExpiryTooFar, bus.TxExpired,
		bus.RequesterNotFound, bus.TransferSenderNotFound:
		return true
	}
	return false
}

func FuzzDecode(f *testing.F) {
	for _, body := range bodies() {
		f.Add(signed(body).Encode())
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, bus.MaxTx+1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, result := bus.Decode(raw)
		if (s == nil) != (result.Code != bus.OK) {
			t.Fatal(s, result)
		}
		if s != nil && (!bytes.Equal(s.Encode(), raw) || !bytes.Equal(append(s.Tx.Preimage(), s.Signature[:]...), raw)) {
			t.Fatalf("%x is written as %x", raw, s.Encode())
		}
	})
}

// Bytes of anybody, alone and beside an honest transaction: no panic, nothing of
// them stays but the height, and the honest one is settled.
func FuzzExecute(f *testing.F) {
	for _, body := range bodies() {
		f.Add(signed(body).Encode())
	}
	f.Add([]byte("nonsense"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := newWorld(t, 1)
		honest := w.sign("bob", pay("carol", "1"))
		out := w.apply(w.block(raw, honest))
		if r := out.Results[1]; !r.Settled || r.Code != bus.OK {
			t.Fatalf("the honest transaction: %+v", r)
		}
		w.conserved()
	})
}
