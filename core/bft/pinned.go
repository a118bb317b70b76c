package bft

import (
	"context"
	"errors"
	"fmt"

	"intercom/core/fault"
)

// QueryAt asks the application of every server for something of the state that a
// verified header carries, which is the one after the block before it. Check
// compares an answer with the header's State; an error is a lie. A server that
// has not got that state, or has it no longer, has nothing to say.
func (f *Follower) QueryAt(ctx context.Context, at Header, path string, data []byte, check func(answer []byte) error) ([]byte, error) {
	question := append(putBlob(nil, []byte(path)), data...)
	answers, err := each(ctx, f, func(ctx context.Context, s Server) ([]byte, error) {
		raw, err := s.ask(ctx, askQuery, question)
		if err == nil {
			if wrong := check(raw); wrong != nil {
				err = unproven("answer", wrong)
			}
		}
		return raw, err
	})
	if err != nil {
		return nil, err
	}
	a := choose(answers)
	if a.err == nil {
		withheld(f, answers, a.server.Name, fmt.Sprintf("answer of block %d", at.Height))
	}
	return a.value, a.err
}

// withheld notices who had nothing where another had a proof.
func withheld[T any](f *Follower, answers []answer[T], by, what string) {
	for _, a := range answers {
		if fault.KindOf(a.err) == fault.NotFound && !errors.Is(a.err, errOld) {
			f.notice(Notice{a.server.Name, Withheld, fmt.Errorf("no %s, which %s has", what, by)})
		}
	}
}

// Updates are the changes of validators announced by headers from that height
// on, oldest first, as servers prove them now, for [Advance].
func (f *Follower) Updates(ctx context.Context, from int64) ([][]byte, error) {
	start := f.Trust()
	for len(start.Sets) > 1 && start.Sets[len(start.Sets)-1].From > from {
		start.Sets = start.Sets[:len(start.Sets)-1]
	}
	answers, err := each(ctx, f, func(ctx context.Context, s Server) (updates [][]byte, err error) {
		trust, more := start, true
		for more {
			var t tip
			trust, t, err = f.climb(ctx, s, trust, func(height int64, update []byte) {
				if height >= from {
					updates = append(updates, update)
				}
			})
			if err != nil {
				return nil, err
			}
			more = t.more
		}
		return updates, nil
	})
	if err != nil {
		return nil, err
	}
	best := choose(answers)
	for _, a := range answers {
		if a.err == nil && len(a.value) > len(best.value) {
			best = a
		}
	}
	return best.value, best.err
}
