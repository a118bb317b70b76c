package p2p

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

func TestFramesArriveInOrder(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	in := newInbox()
	ta, tb := join(t, a, "talk", Handler{}), join(t, b, "talk", in.handler())
	members(t, ta, 1)
	members(t, tb, 1)
	const n = 3000
	for i := range n {
		if err := ta.Publish(fmt.Appendf(nil, "frame %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		m := in.next(t)
		if want := fmt.Sprintf("frame %d", i); string(m.Data) != want || m.From != a.Key() {
			t.Fatalf("got %q from %s, want %q", m.Data, m.From, want)
		}
	}
	if f := a.Stats().Frames; f.Published != n || f.DroppedOut != 0 {
		t.Errorf("publisher counts %+v", f)
	}
	if f := b.Stats().Frames; f.Delivered != n || f.DroppedIn+f.DroppedDeliver != 0 {
		t.Errorf("receiver counts %+v", f)
	}
}

func TestFramesAreForwardedAlongALine(t *testing.T) {
	a, b, c := listen(t), listen(t), listen(t)
	line(t, a, b, c)
	in := newInbox()
	ta, tb := join(t, a, "talk", Handler{}), join(t, b, "talk", Handler{})
	tc := join(t, c, "talk", in.handler())
	members(t, ta, 1)
	members(t, tb, 2)
	members(t, tc, 1)
	settle(t, ta, in)
	for i := range 100 {
		if err := ta.Publish(fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if m := in.next(t); m.From != b.Key() || string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("got %q from %s, want %d from the neighbour %s", m.Data, m.From, i, b.Key())
		}
	}
	if knows(a, c) {
		t.Error("the ends are connected: nothing was shown")
	}
}

func TestCheckDecidesWhatIsDeliveredAndForwarded(t *testing.T) {
	a, b, c := listen(t), listen(t), listen(t)
	line(t, a, b, c)
	atB, atC := newInbox(), newInbox()
	judge := atB.handler()
	judge.Check = func(m *Message) Verdict {
		m.Value = len(m.Data)
		switch {
		case bytes.HasPrefix(m.Data, []byte("ignore")):
			return Ignore
		case bytes.HasPrefix(m.Data, []byte("reject")):
			return Reject
		case bytes.HasPrefix(m.Data, []byte("panic")):
			panic("as asked")
		}
		return Accept
	}
	ta, tb := join(t, a, "talk", Handler{}), join(t, b, "talk", judge)
	tc := join(t, c, "talk", atC.handler())
	members(t, ta, 1)
	members(t, tb, 2)
	members(t, tc, 1)
	settle(t, ta, atC)
	before := b.Stats().Frames
	for _, text := range []string{"ignore 1", "reject 1", "panic 1", "good 1", "reject 2", "good 2"} {
		if err := ta.Publish([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"good 1", "good 2"} {
		m := atB.next(t)
		if string(m.Data) != want || m.Value != len(want) {
			t.Errorf("delivered %q with %v, want %q", m.Data, m.Value, want)
		}
	}
	for _, want := range []string{"good 1", "good 2"} { // in order: nothing bad came between
		if m := atC.next(t); string(m.Data) != want {
			t.Errorf("forwarded %q, want %q", m.Data, want)
		}
	}
	f := b.Stats().Frames
	if f.Ignored != 2 || f.Rejected != 2 || f.Panicked != 1 || f.Delivered < before.Delivered+2 {
		t.Errorf("counts %+v after %+v", f, before)
	}
}

func TestOwnFramesAreNeitherCheckedNorDelivered(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	var own atomic.Int32
	count := Handler{
		Check:   func(*Message) Verdict { own.Add(1); return Reject },
		Deliver: func(*Message) { own.Add(1) },
	}
	in := newInbox()
	ta, tb := join(t, a, "talk", count), join(t, b, "talk", in.handler())
	members(t, ta, 1)
	members(t, tb, 1)
	if err := ta.Publish([]byte("mine")); err != nil {
		t.Fatal(err)
	}
	in.next(t)
	if n := own.Load(); n != 0 {
		t.Errorf("own frame reached the handler %d times", n)
	}
}

func TestFrameOfGreatestSizeArrivesAndALargerOneIsRefused(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	in := newInbox()
	ta, tb := join(t, a, "talk", Handler{}), join(t, b, "talk", in.handler())
	members(t, ta, 1)
	members(t, tb, 1)
	err := ta.Publish(make([]byte, MaxMessage+1))
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("a frame that is too long gives %v", err)
	}
	if err := ta.Publish(make([]byte, MaxMessage)); err != nil {
		t.Fatal(err)
	}
	if m := in.next(t); len(m.Data) != MaxMessage {
		t.Errorf("%d bytes arrived", len(m.Data))
	}
}

func TestTopicIsJoinedOnceAndCanBeJoinedAgain(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	ta := join(t, a, "talk", Handler{})
	if _, err := a.Join("talk", Handler{}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("joining twice gives %v", err)
	}
	for _, name := range []string{"", string(make([]byte, maxTopic+1))} {
		if _, err := a.Join(name, Handler{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a name of %d bytes gives %v", len(name), err)
		}
	}
	for round := range 3 {
		in := newInbox()
		tb := join(t, b, "talk", in.handler())
		members(t, ta, 1)
		members(t, tb, 1)
		if err := ta.Publish(fmt.Appendf(nil, "round %d", round)); err != nil {
			t.Fatal(err)
		}
		in.next(t)
		if err := tb.Leave(); err != nil {
			t.Fatal(err)
		}
		if err := tb.Leave(); err != nil {
			t.Error(err)
		}
		if err := tb.Publish([]byte("x")); fault.KindOf(err) != fault.NotFound {
			t.Errorf("publishing after Leave gives %v", err)
		}
		if len(tb.Peers()) != 0 {
			t.Error("a topic that was left has peers")
		}
		members(t, ta, 0)
	}
}

func TestMembersComeAndGo(t *testing.T) {
	a, b := listen(t), listen(t)
	type change struct {
		key    identity.PublicKey
		joined bool
	}
	changes := make(chan change, 16)
	next := func() change {
		select {
		case c := <-changes:
			return c
		case <-time.After(patience):
			t.Fatal("no change was told")
			return change{}
		}
	}
	join(t, a, "talk", Handler{Member: func(key identity.PublicKey, joined bool) { changes <- change{key, joined} }})
	link(t, a, b)
	tb := join(t, b, "talk", Handler{})
	if c := next(); c != (change{b.Key(), true}) {
		t.Errorf("got %v", c)
	}
	if err := tb.Leave(); err != nil {
		t.Fatal(err)
	}
	if c := next(); c != (change{b.Key(), false}) {
		t.Errorf("got %v", c)
	}
}

// One topic whose Deliver hangs must not keep another from working, and what it
// loses is counted.
func TestSlowDeliverHurtsOnlyItsTopic(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	release := make(chan struct{})
	defer close(release)
	slow := join(t, a, "slow", Handler{})
	join(t, b, "slow", Handler{Deliver: func(*Message) { <-release }})
	in := newInbox()
	fast := join(t, a, "fast", Handler{})
	join(t, b, "fast", in.handler())
	members(t, slow, 1)
	members(t, fast, 1)
	const size = 64 << 10
	n := deliverBytes/size + 50
	for i := range n {
		data := make([]byte, size)
		copy(data, fmt.Sprint(i))
		if err := slow.Publish(data); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "overflow is counted", func() bool {
		f := b.Stats().Frames
		return f.DroppedDeliver > 0 && f.DroppedDeliver+f.DroppedIn >= 48
	})
	if err := fast.Publish([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	in.next(t)
}

func TestLeaveInsideHandlers(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	ta := join(t, a, "talk", Handler{})
	left := make(chan error, 2)
	var tb *Topic
	ready := make(chan struct{})
	tb = join(t, b, "talk", Handler{Check: func(*Message) Verdict {
		<-ready
		tb.Peers()
		tb.Publish([]byte("from inside"))
		left <- tb.Leave()
		return Accept
	}})
	close(ready)
	members(t, ta, 1)
	if err := ta.Publish([]byte("go")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-left:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Leave inside Check hangs")
	}
}
