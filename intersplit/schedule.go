package intersplit

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"intercom/core/identity"
)

// When rooms are compared with members, and how much at once.
const (
	defaultRefresh = 20 * time.Second
	politeWait     = 2 * time.Second // for the other side to begin
	firstRetry     = time.Second     // after a failure; doubles up to maxRetry
	maxRetry       = time.Minute
	maxErrands     = 4  // begun at once, one per peer
	maxAnswers     = 32 // answered at once
	maxAnswersEach = 2  // of these, to one peer
)

// pair is a room and a member to compare it with.
type pair struct {
	channel string
	peer    identity.PublicKey
}

// errand is one comparison to begin. In a short one only what is known to be
// missing is asked for.
type errand struct {
	pair
	short bool
}

// meeting is what is known of a pair while the peer is a member.
type meeting struct {
	since    time.Time // when the member appeared
	compared time.Time // when the last whole comparison ended well
	tried    time.Time // when the last errand failed
	failures int       // in a row
	wanted   bool      // something is missing that this member may have
	refusal  string    // why the two cannot agree on whose entries count; "" when they can
}

// schedule decides which rooms are compared with whom, and when: a function of
// who is there, what was done, and the time. Of two peers that meet, the one with
// the smaller key begins, and the other when nothing came of it.
type schedule struct {
	refresh time.Duration
	poke    chan struct{} // has the loop look again

	mu       sync.Mutex
	meetings map[pair]*meeting
	hurried  map[string]bool             // channels in which a call waits for the first comparison
	busy     map[identity.PublicKey]bool // an errand runs
	answers  map[identity.PublicKey]int  // streams that are answered
	answered int                         // in all
}

func (s *schedule) init(refresh time.Duration) {
	s.refresh = cmp.Or(refresh, defaultRefresh)
	s.poke = make(chan struct{}, 1)
	s.meetings = map[pair]*meeting{}
	s.hurried = map[string]bool{}
	s.busy = map[identity.PublicKey]bool{}
	s.answers = map[identity.PublicKey]int{}
}

func (s *schedule) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// want asks for a comparison as soon as possible: with the member who knows of
// what is missing, or with any other when that one is not connected.
func (s *schedule) want(channel string, peer identity.PublicKey) {
	s.mu.Lock()
	m := s.meetings[pair{channel, peer}]
	for p, other := range s.meetings {
		if m == nil && p.channel == channel {
			m = other
		}
	}
	if m != nil {
		m.wanted = true
	}
	s.mu.Unlock()
	s.wake()
}

// hurry asks for the first comparisons of a channel at once, whoever's turn it is.
func (s *schedule) hurry(channel string) {
	s.mu.Lock()
	before := s.hurried[channel]
	s.hurried[channel] = true
	s.mu.Unlock()
	if !before {
		s.wake()
	}
}

// meet brings the meetings in line with who is there now.
func (s *schedule) meet(present []pair, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := make(map[pair]bool, len(present))
	channels := map[string]bool{}
	for _, p := range present {
		here[p], channels[p.channel] = true, true
		if s.meetings[p] == nil {
			s.meetings[p] = &meeting{since: now}
		}
	}
	for p := range s.meetings {
		if !here[p] {
			delete(s.meetings, p)
		}
	}
	for channel := range s.hurried {
		if !channels[channel] {
			delete(s.hurried, channel)
		}
	}
}

// next picks errands to begin now, the most urgent first, and marks their peers
// as busy. Each must be [schedule.done].
func (s *schedule) next(self identity.PublicKey, now time.Time) []errand {
	s.mu.Lock()
	defer s.mu.Unlock()
	var begin []errand
	for _, p := range s.due(self, now) {
		m := s.meetings[p]
		routine := !m.wanted && !m.compared.IsZero()
		if len(s.busy) == maxErrands || s.busy[p.peer] || routine && chosen(begin, p.channel) {
			continue
		}
		s.busy[p.peer] = true
		begin = append(begin, errand{pair: p, short: m.wanted && !m.compared.IsZero()})
		m.wanted = false
	}
	return begin
}

// chosen says whether a room is among the errands: a routine comparison with one
// member is enough.
func chosen(begin []errand, channel string) bool {
	return slices.ContainsFunc(begin, func(e errand) bool { return e.channel == channel })
}

// due lists the pairs whose time has come: what is wanted, then who is new, then
// who was compared with longest ago.
func (s *schedule) due(self identity.PublicKey, now time.Time) []pair {
	latest := map[string]time.Time{} // by channel, with whomever
	for p, m := range s.meetings {
		if m.compared.After(latest[p.channel]) {
			latest[p.channel] = m.compared
		}
	}
	var due []pair
	for p, m := range s.meetings {
		if s.isDue(p, m, self, latest[p.channel], now) {
			due = append(due, p)
		}
	}
	slices.SortFunc(due, func(a, b pair) int {
		return cmp.Or(s.meetings[a].rank().Compare(s.meetings[b].rank()),
			cmp.Compare(a.channel, b.channel), slices.Compare(a.peer[:], b.peer[:]))
	})
	return due
}

func (m *meeting) rank() time.Time {
	if m.wanted {
		return time.Time{}.Add(-1)
	}
	return m.compared
}

func (s *schedule) isDue(p pair, m *meeting, self identity.PublicKey, latest, now time.Time) bool {
	switch {
	case m.failures > 0 && now.Before(m.tried.Add(backoff(m.failures))):
		return false
	case m.wanted || m.compared.IsZero() && s.hurried[p.channel]:
		return true
	case s.answers[p.peer] > 0: // that one has begun
		return false
	case m.compared.IsZero():
		return slices.Compare(self[:], p.peer[:]) < 0 || now.Sub(m.since) >= politeWait
	default:
		return now.Sub(latest) >= s.refresh
	}
}

func backoff(failures int) time.Duration {
	return min(firstRetry<<min(failures-1, 10), maxRetry)
}

// done records how an errand ended.
func (s *schedule) done(e errand, ok bool, now time.Time) {
	s.mu.Lock()
	delete(s.busy, e.peer)
	if m := s.meetings[e.pair]; m != nil {
		switch {
		case !ok:
			m.tried = now
			m.failures++
			m.wanted = true
		case !e.short:
			m.compared = now
			delete(s.hurried, e.channel)
			fallthrough
		default:
			m.failures, m.refusal = 0, ""
		}
	}
	s.mu.Unlock()
	s.wake()
}

// refuse records that a member and this peer cannot agree; first tells that they
// could before.
func (s *schedule) refuse(p pair, reason string) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meetings[p]
	if m == nil {
		return false
	}
	first = m.refusal == ""
	m.refusal = reason
	return first
}

// refused says whether this peer can agree with none of a channel's members.
func (s *schedule) refused(channel string) bool {
	return s.every(channel, func(m *meeting) bool { return m.refusal != "" })
}

// hopeless says whether the last comparisons with every member of a channel have
// failed.
func (s *schedule) hopeless(channel string) bool {
	return s.every(channel, func(m *meeting) bool { return m.refusal != "" || m.failures > 1 })
}

// every says whether a channel has members and something is so of all of them.
func (s *schedule) every(channel string, is func(m *meeting) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := false
	for p, m := range s.meetings {
		if p.channel == channel && !is(m) {
			return false
		}
		some = some || p.channel == channel
	}
	return some
}

// refusals gives what keeps the members of a channel from agreeing with this peer.
func (s *schedule) refusals(channel string) map[identity.PublicKey]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[identity.PublicKey]string{}
	for p, m := range s.meetings {
		if p.channel == channel && m.refusal != "" {
			found[p.peer] = m.refusal
		}
	}
	return found
}

// admit takes a place to answer a peer, if there is one; it must be given back
// with [schedule.release].
func (s *schedule) admit(peer identity.PublicKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered == maxAnswers || s.answers[peer] == maxAnswersEach {
		return false
	}
	s.answered++
	s.answers[peer]++
	return true
}

func (s *schedule) release(peer identity.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered--
	if s.answers[peer]--; s.answers[peer] == 0 {
		delete(s.answers, peer)
	}
}
