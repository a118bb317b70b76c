package msb_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/planes/msb"
)

func TestNewcomerIsFundedByItself(t *testing.T) {
	dir := t.TempDir()
	a := start(t, "alice", dir, "")
	genesis := a.must("msb", with{})["genesis"].(string)
	b := start(t, "bob", t.TempDir(), genesis, a.host.Addrs()...)
	out := b.must("transfer", with{"to": a.address(), "amount": "1", "wait_ms": 60000})
	if out["state"] != "confirmed" {
		t.Fatalf("the first transfer: %v", out)
	}
	if out := b.must("balance", with{}); out["balance"] != "98.97" {
		t.Errorf("balance: %v", out)
	}
	first := b.must("faucet", with{})
	if out := b.must("balance", with{}); out["balance"] != "98.97" || first["amount"] != "100" {
		t.Errorf("asking again gave %v and %v", first, out)
	}
	a.stop()
	again := start(t, "alice", dir, "")
	if out := again.must("faucet", with{"address": b.address()}); out["hash"] != first["hash"] {
		t.Errorf("after a restart the faucet gave again: %v, before %v", out, first)
	}
}

func TestFaucetGivesToOthersOnce(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	to := someone("carol").PublicKey().Address()
	first := a.must("faucet", with{"address": to})
	a.confirmed(first["hash"])
	if again := a.must("faucet", with{"address": to}); again["hash"] != first["hash"] {
		t.Errorf("a second gift: %v", again)
	}
	if out := a.must("balance", with{"address": to}); out["balance"] != "100" {
		t.Errorf("balance: %v", out)
	}
	if _, err := a.try("faucet", with{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a gift to the giver: %v", err)
	}
}

// ask sends bytes to a faucet and gives its answer.
func ask(t *testing.T, from, to *somebody, text string) string {
	t.Helper()
	s, err := from.host.Open(t.Context(), to.id.PublicKey(), msb.FaucetProtocol)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(s, text); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestFaucetRefusesNonsense(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	network := a.must("msb", with{})["network"].(string)
	b := start(t, "bob", t.TempDir(), a.plane.Running().Genesis.String(), a.host.Addrs()...)
	b.must("msb", with{}) // connected
	to := b.address()
	for _, text := range []string{
		"", "{}", "null", "[]", `{"network":"` + network + `"}`, `{"network":"other","to":"` + to + `"}`,
		`{"network":"` + network + `","to":"trac1nonsense"}`, `{"network":"` + network + `","to":"` + to + `","amount":"5"}`,
		`{"network":"` + network + `","to":"` + to + `"}{}`, strings.Repeat(" ", 600) + "{}",
	} {
		if answer := ask(t, b, a, text); !strings.Contains(answer, `"kind":"invalid"`) {
			t.Errorf("%.100q: %s", text, answer)
		}
	}
	if out := a.must("balance", with{"address": to}); out["balance"] != "0" {
		t.Errorf("balance: %v", out)
	}
}
