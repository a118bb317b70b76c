package subnet_test

import (
	"testing"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/planes/subnet/contract"
)

// pair is a subnet with its admin, and a peer that joined it with nothing but its key.
func pair(t testing.TB) (a, b *somebody) {
	a = start(t, "a", setup{})
	a.must("add_admin", with{"address": a.key()})
	b = start(t, "b", setup{bootstrap: a.key(), seeds: a.host.Addrs()})
	b.has("admin", a.key())
	return a, b
}

func TestAJoinerSeesAndWritesTheSameState(t *testing.T) {
	a, b := pair(t)
	b.refused(fault.Denied, "Peer is not writable.", "tx", with{"command": `open {"question":"Where to?","answers":["sea","hills"]}`})
	a.must("set_chat_status", with{"enabled": true})
	b.has("chat_status", "on")
	b.refused(fault.Denied, "Peer is not writable.", "post", with{"message": "hello"})
	a.must("add_writer", with{"key": b.id.PublicKey().Address()})
	b.wait("it may write", func() bool { return b.must("subnet_info", with{})["writable"] == true })

	done := b.must("tx", with{"command": `open {"question":"Where to?","answers":["sea","hills"]}`, "wait_ms": 60000})
	if done["state"] != "confirmed" {
		t.Fatalf("%v", done)
	}
	id := done["result"].(map[string]any)["poll"].(string)
	vote := a.must("tx", with{"command": `vote {"poll":"` + id + `","answer":1}`, "wait_ms": 60000})
	if vote["state"] != "confirmed" {
		t.Errorf("%v", vote)
	}
	b.has("txl", 2.0)
	if x, y := a.must("get", with{"key": "poll/" + id}), b.must("get", with{"key": "poll/" + id}); fmtJSON(x) != fmtJSON(y) {
		t.Errorf("%v, %v", x, y)
	}
	b.wait("the roots are equal", func() bool {
		return a.must("subnet_info", with{})["root"] == b.must("subnet_info", with{})["root"]
	})
	b.refused(fault.Denied, "Only admin may perform this operation.", "add_writer", with{"key": b.key()})
	b.refused(fault.Denied, "Only the subnet bootstrap node may set the initial admin.", "add_admin", with{"address": b.key()})
}

func TestTheChatOfTwo(t *testing.T) {
	a, b := pair(t)
	a.refused(fault.Denied, "Chat is disabled.", "post", with{"message": "hello"})
	a.must("set_chat_status", with{"enabled": true})
	a.must("add_writer", with{"key": b.key()})
	b.wait("it may write", func() bool { return b.must("subnet_info", with{})["writable"] == true })
	from := a.hub.Now()
	first := b.must("post", with{"message": "hello"})
	a.has("msgl", 1.0)
	got, err := a.hub.Read(t.Context(), from, 100)
	for err == nil && !holds(got.Events, "chat_message") {
		got, err = a.hub.Read(t.Context(), got.Next, 100)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.refused(fault.Invalid, "Empty message not allowed", "post", with{"message": " "})
	a.must("post", with{"message": "hello you", "reply_to": 0})
	a.must("set_nick", with{"nick": "alice"})
	b.refused(fault.Denied, "Only admin or mod may perform this operation.", "set_nick", with{"nick": "x", "user": a.key()})
	b.refused(fault.Denied, "Only admin or mod may perform this operation.", "pin_message", with{"id": 0})
	a.must("pin_message", with{"id": 0})
	b.has("pnl", 1.0)
	if out := b.must("chat_read", with{"pinned": true}); len(out["messages"].([]any)) != 1 {
		t.Errorf("%v", out)
	}
	a.must("unpin_message", with{"pin_id": 0})
	b.must("delete_message", with{"id": 0})
	a.wait("it is blank", func() bool {
		out := a.must("chat_read", with{"user": b.key()})
		message := out["messages"].([]any)[0].(map[string]any)
		return message["message"] == nil && message["entry"] == first["entry"] && message["confirmed"] == true
	})
	page := a.must("chat_read", with{"cursor": "1", "limit": 1})
	second := page["messages"].([]any)[0].(map[string]any)
	if second["nick"] != "alice" || second["reply_to"] != 0.0 || page["next_cursor"] != "2" || page["untrusted"] != true {
		t.Errorf("%v", page)
	}
	a.refused(fault.NotFound, "", "delete_message", with{"id": 99})
	a.must("mute_status", with{"user": b.key(), "muted": 1})
	b.has("mtd/"+b.key(), true)
	b.refused(fault.Denied, "", "post", with{"message": "again"})
	a.must("mute_status", with{"user": b.key(), "muted": 0})
	a.must("enable_whitelist", with{"enabled": true})
	b.has("wlst", true)
	b.refused(fault.Denied, "", "post", with{"message": "again"})
	a.must("set_whitelist_status", with{"user": b.key(), "status": true})
	a.must("set_mod", with{"user": b.key(), "mod": true})
	b.has("mod/"+b.key(), true)
	b.must("post", with{"message": "again"})
}

func holds(events []event.Event, kind string) bool {
	for _, e := range events {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func TestWritersLetOthersInWhenTheAdminAllowsIt(t *testing.T) {
	a, b := pair(t)
	a.must("set_chat_status", with{"enabled": true})
	a.must("set_auto_add_writers", with{"enabled": true})
	b.has("auto_add_writers", "on")
	b.must("post", with{"message": "let me in"})
	a.has("msgl", 1.0)
	a.must("remove_writer", with{"key": b.key()})
	b.wait("it may not write", func() bool { return b.must("subnet_info", with{})["writable"] == false })
}

func TestTheAdminIsSucceededInTwoSteps(t *testing.T) {
	a, b := pair(t)
	a.must("add_writer", with{"key": b.key()})
	b.wait("it may write", func() bool { return b.must("subnet_info", with{})["writable"] == true })
	a.refused(fault.Denied, "a subnet cannot be left without an admin", "update_admin", with{"address": "null"})
	b.refused(fault.Denied, "", "update_admin", with{"address": b.key()})
	a.must("update_admin", with{"address": b.key()})
	b.wait("it is named", func() bool { return b.must("subnet_info", with{})["next_admin"] == b.key() })
	a.has("admin", a.key())
	b.must("update_admin", with{"address": b.key()})
	a.has("admin", b.key())
	a.refused(fault.Denied, "Only admin may perform this operation.", "set_chat_status", with{"enabled": true})
}

func TestAnotherContractIsAConflict(t *testing.T) {
	a := start(t, "a", setup{})
	a.must("subnet_info", with{})
	b := start(t, "b", setup{bootstrap: a.key(), seeds: a.host.Addrs(), contract: contract.New("another", 1)})
	b.refused(fault.Conflict, "", "subnet_info", with{})
}

func TestTwoIndexersConfirmTogether(t *testing.T) {
	a := start(t, "a", setup{})
	a.must("add_admin", with{"address": a.key()})
	b := start(t, "b", setup{bootstrap: a.key(), seeds: a.host.Addrs(), indexer: true})
	b.has("admin", a.key())
	a.refused(fault.Conflict, "", "remove_indexer", with{"key": a.key()})
	added := a.must("add_indexer", with{"key": b.key()})
	if added["message"] != "Indexer added: "+b.key() {
		t.Errorf("%v", added)
	}
	a.wait("there are two", func() bool { return len(a.must("subnet_info", with{})["indexers"].([]any)) == 2 })
	a.must("set_chat_status", with{"enabled": true})
	b.has("chat_status", "on")
	b.must("post", with{"message": "hello"})
	a.has("msgl", 1.0)
	if info := a.must("subnet_info", with{}); info["quorum"] != 2.0 {
		t.Errorf("%v", info)
	}
	a.must("remove_indexer", with{"key": b.key()})
	a.wait("there is one", func() bool { return len(a.must("subnet_info", with{})["indexers"].([]any)) == 1 })
}

func TestOneThatWasNotStartedForItIsNoIndexer(t *testing.T) {
	a, b := pair(t)
	a.refused(fault.Denied, "", "add_indexer", with{"key": b.key()})
	a.refused(fault.Unavailable, "", "add_indexer", with{"key": someone("nobody").PublicKey().String()})
}
