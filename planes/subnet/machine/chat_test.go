package machine

import (
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
)

// newChat is a subnet with an admin, a mod and the chat on.
func newChat(t testing.TB) *world {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	w.do(adminKey, &SetMod{key(mod), true})
	return w
}

func TestWhatOnlyTheAdminMay(t *testing.T) {
	w := newChat(t)
	for _, b := range []Body{
		&UpdateAdmin{key(bob)}, &AddWriter{key(stranger)}, &RemoveWriter{key(eve)}, &SetAutoAddWriters{true}, &EnableTransactions{false},
		&SetChatStatus{false}, &SetMod{key(bob), true}, &SetWhitelistStatus{key(bob), true}, &EnableWhitelist{true}, &Feature{"oracle", "k", []byte("1")},
	} {
		for _, other := range []byte{boot, mod, bob} {
			w.refused(other, b, fault.Denied)
		}
		if out := w.do(adminKey, b); out.Kind != b.Kind() {
			t.Errorf("%s is reported as %s", b.Kind(), out.Kind)
		}
	}
}

func TestMutingAndWhitelisting(t *testing.T) {
	w := newChat(t)
	w.do(mod, &MuteStatus{key(bob), true})
	w.refused(bob, &Post{Text: "x"}, fault.Denied)
	w.refused(bob, &MuteStatus{key(bob), false}, fault.Denied)
	w.refused(mod, &MuteStatus{key(adminKey), true}, fault.Denied)
	w.refused(mod, &MuteStatus{key(mod), true}, fault.Denied)
	w.do(adminKey, &MuteStatus{key(mod), true})
	w.do(adminKey, &MuteStatus{key(adminKey), true})
	w.do(adminKey, &Post{Text: "the admin is exempt"})
	w.do(adminKey, &MuteStatus{key(bob), false})
	w.do(bob, &Post{Text: "x"})
	w.do(adminKey, &EnableWhitelist{true})
	w.refused(bob, &Post{Text: "x"}, fault.Denied)
	w.do(adminKey, &SetWhitelistStatus{key(bob), true})
	w.do(bob, &Post{Text: "x"})
	w.do(adminKey, &SetWhitelistStatus{key(bob), false})
	w.refused(bob, &Post{Text: "x"}, fault.Denied)
	w.do(adminKey, &SetChatStatus{false})
	w.refused(adminKey, &Post{Text: "x"}, fault.Denied)
	w.refused(bob, &SetNick{key(bob), "bob"}, fault.Denied)
}

func TestNicks(t *testing.T) {
	w := newChat(t)
	w.do(bob, &SetNick{key(bob), "bob"})
	w.refused(eve, &SetNick{key(eve), "bob"}, fault.Conflict)
	w.refused(eve, &SetNick{key(bob), "evil"}, fault.Denied)
	w.refused(mod, &SetNick{key(adminKey), "boss"}, fault.Denied)
	w.do(mod, &SetNick{key(mod), "mod"})
	w.do(mod, &SetNick{key(bob), "robert"})
	w.want("kcin/bob", "")
	w.want("kcin/robert", quoted(key(bob)))
	w.do(adminKey, &SetNick{key(mod), "helper"})
	w.do(eve, &SetNick{key(eve), "bob"})
	w.do(eve, &SetNick{key(eve), "a/b"})
	w.want("kcin/a/b", quoted(key(eve)))
}

func TestWhoMayDelete(t *testing.T) {
	w := newChat(t)
	for n, c := range []struct {
		author, deleter byte
		denied          bool
	}{
		{bob, bob, false}, {bob, eve, true}, {bob, mod, false}, {bob, adminKey, false}, {mod, bob, true}, {mod, mod, false},
		{adminKey, mod, true}, {adminKey, adminKey, false}, {mod, adminKey, false},
	} {
		w.do(c.author, &Post{Text: "x", Attachments: []string{"y"}})
		b := &DeleteMessage{ref(uint64(n))}
		if c.denied {
			w.refused(c.deleter, b, fault.Denied)
			continue
		}
		w.do(c.deleter, b)
		var m Message
		if err := json.Unmarshal([]byte(w.value(numbered("msg", uint64(n)))), &m); err != nil || m.Msg != nil || len(m.Attachments) > 0 || *m.DeletedBy != key(c.deleter).String() {
			t.Errorf("case %d: %+v, %v", n, m, err)
		}
	}
	w.want("delml", "6")
	w.refused(bob, &DeleteMessage{ref(99)}, fault.NotFound)
	w.refused(bob, &PinMessage{ref(0), true}, fault.Denied)
	w.refused(bob, &UnpinMessage{0}, fault.Denied)
	w.refused(mod, &PinMessage{ref(99), true}, fault.NotFound)
}

// A message that is named by its entry is that one, whatever number it gets when the
// order becomes another one.
func TestMessagesAreFoundByTheirEntry(t *testing.T) {
	w := newChat(t)
	meant := w.entry(bob, &Post{Text: "meant"})
	answer := w.entry(eve, &Post{Text: "answer", ReplyTo: &MessageRef{Entry: meant.ID()}})
	remove := w.entry(bob, &DeleteMessage{MessageRef{Entry: meant.ID()}})
	w.refusedEntry(w.entry(eve, &Post{Text: "too early", ReplyTo: &MessageRef{Entry: meant.ID()}}), fault.NotFound)
	w.do(eve, &Post{Text: "came between"})
	w.apply(meant)
	w.apply(answer)
	if out := w.apply(remove); out.Refused != nil || out.Number != 1 {
		t.Errorf("%+v", out)
	}
	var m Message
	if err := json.Unmarshal([]byte(w.value("msg/2")), &m); err != nil || m.ReplyTo == nil || *m.ReplyTo != 1 {
		t.Errorf("the answer is %+v, %v", m, err)
	}
	w.want("msg/0", `{"address":"`+key(eve).String()+`","attachments":[],"deleted_by":null,"msg":"came between","pin_id":null,"pinned":false,"reply_to":null,"type":"msg"}`)
	w.refused(eve, &Post{Text: "x", ReplyTo: &MessageRef{Number: 3}}, fault.NotFound)
	w.refused(eve, &DeleteMessage{MessageRef{Entry: feed.ID{1}}}, fault.NotFound)
}

func TestOutcomesNameWhatChanged(t *testing.T) {
	w := newChat(t)
	out := w.do(bob, &Post{Text: "x"})
	me := key(bob).String()
	if got, want := strings.Join(out.Changed, " "), "app/last msgl msg/0 umsgl/"+me+" umsg/"+me+"/0"; got != want {
		t.Errorf("changed %s, want %s", got, want)
	}
	if out.Author != key(bob) || out.Kind != KindPost || out.Code() != 0 {
		t.Errorf("got %+v", out)
	}
	refused := w.refused(bob, &SetChatStatus{false}, fault.Denied)
	if refused.Code() != 3 || refused.Kind != KindSetChatStatus {
		t.Errorf("got %+v, code %d", refused, refused.Code())
	}
}

// What would be refused is known before it is signed, and trying leaves nothing.
func TestTrying(t *testing.T) {
	w := newChat(t)
	before := w.visible()
	for _, c := range []struct {
		author byte
		body   Body
		kind   fault.Kind
	}{
		{bob, &Post{Text: "x"}, ""}, {bob, &SetChatStatus{false}, fault.Denied}, {stranger, &Post{Text: "x"}, fault.Denied},
		{bob, &DeleteMessage{ref(9)}, fault.NotFound}, {bob, &Command{key(bob), "ping", []byte("null")}, ""},
	} {
		out, err := w.m.Try(w.state, key(c.author), c.body, w.height, 0)
		if err != nil || (out.Refused == nil) != (c.kind == "") || out.Refused != nil && out.Refused.Kind != c.kind {
			t.Errorf("%s: %+v, %v", c.body.Kind(), out, err)
		}
	}
	if _, err := w.m.Try(w.state, key(bob), &Post{}, w.height, 0); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	if _, total, _ := Refusals(w.state, key(bob), 1); total != 0 || w.visible() != before {
		t.Error("trying left something")
	}
}
