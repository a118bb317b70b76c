package subnet_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"intercom/core/fault"
	"intercom/planes/subnet"
)

func TestAPlaneThatIsNotUsedCostsNothing(t *testing.T) {
	dir := t.TempDir()
	a := start(t, "a", setup{dir: dir})
	if _, _, running := a.plane.Running(); running {
		t.Error("it runs")
	}
	a.stop()
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestTheFirstOperationMakesTheOwnSubnet(t *testing.T) {
	dir := t.TempDir()
	a := start(t, "a", setup{dir: dir})
	info := a.must("subnet_info", with{})
	if info["bootstrap"] != a.key() || info["role"] != "indexer" || info["settlement"] != nil || info["writable"] != true {
		t.Errorf("%v", info)
	}
	a.refused(fault.Denied, "Only admin may perform this operation.", "set_chat_status", with{"enabled": true})
	a.refused(fault.Invalid, "Invalid --address. Expected 32-byte hex (64 chars).", "add_admin", with{"address": "abc"})
	added := a.must("add_admin", with{"address": a.key()})
	if added["state"] != "confirmed" || added["message"] != "Admin added: "+a.key() {
		t.Errorf("%v", added)
	}
	a.refused(fault.Conflict, "Admin is already set.", "add_admin", with{"address": a.key()})
	if got := a.must("get", with{"key": "admin"}); got["value"] != a.key() || got["confirmed"] != true {
		t.Errorf("%v", got)
	}
	a.stop()

	again := start(t, "a", setup{dir: dir})
	again.wait("it starts with the peer", func() bool { _, _, ok := again.plane.Running(); return ok })
	again.has("admin", a.key())
	again.has("missing", nil)
}

func TestValuesAreProven(t *testing.T) {
	a := start(t, "a", setup{})
	a.must("add_admin", with{"address": "self"})
	for name, want := range map[string]json.RawMessage{"admin": json.RawMessage(`"` + a.key() + `"`), "nothing": nil} {
		got := a.must("get", with{"key": name, "proof": true})
		proof := got["proof"].(map[string]any)
		root, _ := hex.DecodeString(proof["root"].(string))
		path, _ := base64.StdEncoding.DecodeString(proof["path"].(string))
		if err := subnet.VerifyValue([32]byte(root), name, want, path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if subnet.VerifyValue([32]byte(root), name, json.RawMessage(`"another"`), path) == nil {
			t.Errorf("%s: another value is proven too", name)
		}
		if info := a.must("subnet_info", with{}); info["root"] != proof["root"] {
			t.Errorf("the root is %v, of the state %v", proof["root"], info["root"])
		}
	}
	a.refused(fault.Invalid, "", "get", with{"key": "admin", "proof": true, "confirmed": false})
}

func TestTransactionsWithoutSettlementSayThatTheyAreUnsettled(t *testing.T) {
	a := start(t, "a", setup{})
	open := `open {"question":"Where to?","answers":["sea","hills"]}`
	sim := a.must("tx", with{"command": open, "sim": 1})
	if sim["state"] != "simulated" || sim["settled"] != false || sim["result"] == nil {
		t.Errorf("%v", sim)
	}
	if got := a.must("get", with{"key": "txl"}); got["value"] != nil {
		t.Errorf("a simulation left %v", got)
	}
	a.refused(fault.Invalid, "", "tx", with{"command": "nonsense"})
	a.refused(fault.Invalid, "", "tx", with{"command": `vote {"poll":"00000000000000000000000000000000","answer":0}`})
	done := a.must("tx", with{"command": open, "wait_ms": 60000})
	if done["state"] != "confirmed" || done["settled"] != false {
		t.Fatalf("%v", done)
	}
	id := done["result"].(map[string]any)["poll"].(string)
	vote := a.must("tx", with{"command": map[string]any{"type": "vote", "value": map[string]any{"poll": id, "answer": 1}}, "wait_ms": 60000})
	if vote["state"] != "confirmed" {
		t.Errorf("%v", vote)
	}
	record := a.must("tx_result", with{"tx": vote["tx"]})
	if record["type"] != "vote" || record["requester"] != a.key() || record["state"] != "confirmed" {
		t.Errorf("%v", record)
	}
	a.refused(fault.NotFound, "", "tx_result", with{"tx": a.key()})
	a.refused(fault.Conflict, "", "deploy_subnet", with{})
	a.must("add_admin", with{"address": a.key()})
	a.must("enable_transactions", with{"enabled": 0})
	a.refused(fault.Denied, "", "tx", with{"command": open})
}

func TestAJoinerRemembersItsBootstrap(t *testing.T) {
	dir, own, other := t.TempDir(), someone("a").PublicKey(), someone("b").PublicKey()
	if _, err := subnet.Choose(dir, own, "abc", ""); fault.KindOf(err) != fault.Invalid ||
		fault.Of(err).Message != "Invalid --subnet-bootstrap. Provide 32-byte hex (64 chars)." {
		t.Error(err)
	}
	a := start(t, "b", setup{})
	a.must("subnet_info", with{})
	b := start(t, "a", setup{dir: dir, bootstrap: other.String(), seeds: a.host.Addrs()})
	b.must("subnet_info", with{})
	b.stop()
	if c, err := subnet.Choose(dir, own, "", ""); err != nil || c.Bootstrap != other {
		t.Errorf("%v, %v", c.Bootstrap, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "subnet-bootstrap.hex"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := subnet.Choose(dir, own, "", ""); err != nil || c.Bootstrap != own {
		t.Errorf("%v, %v", c.Bootstrap, err)
	}
}
