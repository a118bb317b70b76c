package intersplit

import (
	"testing"
	"time"

	"intercom/core/identity"
)

var (
	small, middle, great = identity.PublicKey{1}, identity.PublicKey{2}, identity.PublicKey{3}
	start                = time.Unix(1_800_000_000, 0)
)

func after(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func newSchedule(present ...pair) *schedule {
	s := &schedule{}
	s.init(0)
	s.meet(present, start)
	return s
}

// begun runs next and says which peers it picked, in order.
func begun(s *schedule, self identity.PublicKey, now time.Time) string {
	names := ""
	for _, p := range s.next(self, now) {
		names += string('0' + rune(p.peer[0]))
	}
	return names
}

func TestOfTwoPeersThatMeetTheSmallerKeyBegins(t *testing.T) {
	s := newSchedule(pair{"a", small}, pair{"a", great})
	if got := begun(s, middle, start); got != "3" {
		t.Errorf("begun with %q", got)
	}
	if got := begun(s, middle, after(2)); got != "1" {
		t.Errorf("nothing came for 2 s, and begun with %q", got)
	}
}

func TestAMemberIsComparedWithOnceAtATime(t *testing.T) {
	s := newSchedule(pair{"a", great}, pair{"b", great})
	if got := begun(s, small, start); got != "3" {
		t.Fatalf("begun with %q", got)
	}
	if got := begun(s, small, start); got != "" {
		t.Errorf("begun with %q while busy", got)
	}
	s.done(errand{pair: pair{"a", great}}, true, start)
	if got := begun(s, small, start); got != "3" {
		t.Errorf("begun with %q for the other room", got)
	}
}

func TestFewComparisonsRunAtOnce(t *testing.T) {
	var present []pair
	for i := range 20 {
		present = append(present, pair{"a", identity.PublicKey{byte(10 + i)}})
	}
	if got := len(newSchedule(present...).next(small, start)); got != maxErrands {
		t.Errorf("%d at once", got)
	}
}

func TestAfterAFailureItWaitsLongerEachTime(t *testing.T) {
	s, p, now := newSchedule(pair{"a", great}), pair{"a", great}, start
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := begun(s, small, now); got != "3" {
			t.Fatalf("not tried again at %s", now.Sub(start))
		}
		s.done(errand{pair: p}, false, now)
		now = now.Add(wait * time.Second)
		if got := begun(s, small, now.Add(-time.Millisecond)); got != "" {
			t.Fatalf("tried again too early")
		}
	}
}

func TestWhatIsMissingIsAskedForAtOnceAndOfWhoKnows(t *testing.T) {
	s := newSchedule(pair{"a", middle}, pair{"a", great})
	for _, p := range s.next(small, start) {
		s.done(p, true, start)
	}
	if got := begun(s, small, after(1)); got != "" {
		t.Errorf("begun with %q though nothing is missing", got)
	}
	s.want("a", great)
	if got := begun(s, small, after(1)); got != "3" {
		t.Errorf("begun with %q", got)
	}
	s.done(errand{pair{"a", great}, true}, true, after(1))
	s.want("a", identity.PublicKey{9}) // who is not connected
	if got := begun(s, small, after(1)); len(got) != 1 {
		t.Errorf("begun with %q instead of one other", got)
	}
}

func TestARoomIsRefreshedWithOneMemberAtATime(t *testing.T) {
	s := newSchedule(pair{"a", middle}, pair{"a", great})
	for i, p := range s.next(small, start) {
		s.done(p, true, after(float64(i)))
	}
	first := begun(s, small, after(30))
	if len(first) != 1 {
		t.Fatalf("refreshed with %q", first)
	}
	if first == "2" {
		s.done(errand{pair: pair{"a", middle}}, true, after(30))
	} else {
		s.done(errand{pair: pair{"a", great}}, true, after(30))
	}
	if got := begun(s, small, after(31)); got != "" {
		t.Errorf("refreshed again with %q", got)
	}
	if got := begun(s, small, after(51)); got == first || got == "" {
		t.Errorf("refreshed with %q, then %q", first, got)
	}
}

func TestWhoLeavesIsForgotten(t *testing.T) {
	s := newSchedule(pair{"a", great})
	p := s.next(small, start)[0]
	s.meet(nil, after(1))
	s.done(p, true, after(1))
	if len(s.meetings) != 0 || len(s.busy) != 0 {
		t.Error("something is left")
	}
}
