package p2p

import (
	"testing"
	"time"
)

// A muted neighbour is not heard, and is heard again when the time is over.
// Others are not concerned.
func TestMutedNeighbourIsNotHeard(t *testing.T) {
	a, b, c := listen(t), listen(t), listen(t)
	line(t, a, b, c)
	in := newInbox()
	ta, tc := join(t, a, "talk", Handler{}), join(t, c, "talk", Handler{})
	tb := join(t, b, "talk", in.handler())
	members(t, ta, 1)
	members(t, tc, 1)
	members(t, tb, 2)
	b.Mute(a.Key(), time.Now().Add(time.Hour))
	say := func(topic *Topic, text string) {
		t.Helper()
		if err := topic.Publish([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	say(ta, "unheard")
	eventually(t, "the frame is dropped", func() bool { return b.Stats().Frames.DroppedIn > 0 })
	say(tc, "heard")
	if m := in.next(t); string(m.Data) != "heard" {
		t.Errorf("got %q", m.Data)
	}
	b.Mute(a.Key(), time.Now())
	say(ta, "heard again")
	if m := in.next(t); string(m.Data) != "heard again" {
		t.Errorf("got %q", m.Data)
	}
}
