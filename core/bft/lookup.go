package bft

import (
	"context"
	"errors"
	"fmt"

	"intercom/core/fault"
)

// Header asks for the header of one height and verifies it.
func (f *Follower) Header(ctx context.Context, height int64) (Header, error) {
	answers, err := each(ctx, f, func(ctx context.Context, s Server) (Header, error) { return f.headerOf(ctx, s, height) })
	if err != nil {
		return Header{}, err
	}
	a := choose(answers)
	return a.value, a.err
}

func (f *Follower) headerOf(ctx context.Context, s Server, height int64) (Header, error) {
	raw, err := s.ask(ctx, askHeader, askHeight(height))
	if err != nil {
		return Header{}, err
	}
	if err := f.reach(ctx, s, height); err != nil {
		return Header{}, err
	}
	h, err := f.accept(s.Name, raw)
	if err == nil && h.Height != height {
		err = unproven("header", fmt.Errorf("it has height %d, %d was asked for", h.Height, height))
	}
	return h, err
}

// reach learns the validators up to a height that is new.
func (f *Follower) reach(ctx context.Context, s Server, height int64) error {
	if head, ok := f.Head(); ok && height <= head.Height {
		return nil
	}
	_, err := f.newest(ctx, s)
	return err
}

// Prove asks for the proof of a transaction and verifies it; raw is the proof
// for others to [Verify]. While no server has one it is [fault.NotFound].
func (f *Follower) Prove(ctx context.Context, hash Hash) (p Proven, raw []byte, err error) {
	type found struct {
		proven Proven
		raw    []byte
	}
	answers, err := each(ctx, f, func(ctx context.Context, s Server) (found, error) {
		raw, err := s.ask(ctx, askProof, hash[:])
		if err != nil {
			return found{}, err
		}
		d, err := decodeProof(raw)
		if err != nil {
			return found{}, unproven("proof", err)
		}
		if err := f.reach(ctx, s, d.next.Height); err != nil {
			return found{}, err
		}
		p, err := Verify(f.Trust(), raw)
		if err == nil && TxHash(p.Tx) != hash {
			err = unproven("proof", errors.New("it proves another transaction"))
		}
		if err != nil {
			return found{}, err
		}
		signed, err := encodeSigned(d.next.Header, d.next.Commit)
		if err != nil {
			return found{}, err
		}
		return found{p, raw}, f.sight(s.Name, p.Next, signed)
	})
	if err != nil {
		return p, nil, err
	}
	a := choose(answers)
	if a.err == nil {
		withheld(f, answers, a.server.Name, fmt.Sprintf("proof of %s", hash))
	}
	return a.value.proven, a.value.raw, a.err
}

// choose takes a good answer, else the error that says most: that a thing is
// not there, before that nobody answered.
func choose[T any](answers []answer[T]) answer[T] {
	best := answers[0]
	for _, a := range answers[1:] {
		if best.err != nil && (a.err == nil || fault.KindOf(a.err) == fault.NotFound) {
			best = a
		}
	}
	if best.err != nil && fault.KindOf(best.err) != fault.NotFound {
		best.err = fault.New(fault.Unavailable, "no server answered: %v", best.err).
			WithHint("connect with another validator; what each one did is in the log")
	}
	return best
}

// Submit offers a transaction to every server; the first that takes it counts,
// else the first refusal. It proves nothing: follow with [Follower.Prove].
func (f *Follower) Submit(ctx context.Context, tx []byte) (Result, error) {
	answers, err := each(ctx, f, func(ctx context.Context, s Server) (Result, error) {
		raw, err := s.ask(ctx, askSubmit, tx)
		if err != nil {
			return Result{}, err
		}
		result, err := decodeResult(raw)
		if err != nil {
			return result, unproven("answer", err)
		}
		return result, nil
	})
	if err != nil {
		return Result{}, err
	}
	best := choose(answers)
	for _, a := range answers {
		if a.err == nil && a.value.Code == 0 {
			return a.value, nil
		}
	}
	return best.value, best.err
}

// Query asks the application of every server. Read takes an answer apart: the
// height of the block after which the application answered, and the hash of
// its state as computed from the answer and its proof; an error is a lie. What
// comes back is an answer whose state stands in a verified header, that header,
// and the height; answers older than the head when Query began do not count.
func (f *Follower) Query(ctx context.Context, path string, data []byte, read func(answer []byte) (height int64, state Hash, err error)) (raw []byte, at Header, err error) {
	type found struct {
		raw []byte
		at  Header
	}
	head, _ := f.Head()
	question := append(putBlob(nil, []byte(path)), data...)
	answers, err := each(ctx, f, func(ctx context.Context, s Server) (found, error) {
		raw, err := s.ask(ctx, askQuery, question)
		if err != nil {
			return found{}, err
		}
		height, state, err := read(raw)
		if err != nil {
			return found{}, unproven("answer", err)
		}
		if height < head.Height-1 {
			f.notice(Notice{s.Name, Behind, fmt.Errorf("it answers for block %d, %d is proven", height, head.Height)})
			return found{}, errOld
		}
		at, err := f.proves(ctx, s, height, state)
		return found{raw, at}, err
	})
	if err != nil {
		return nil, at, err
	}
	a := choose(answers)
	if a.err == nil {
		withheld(f, answers, a.server.Name, "answer about "+path)
	}
	return a.value.raw, a.value.at, a.err
}

// errOld is an answer that was noticed as being of the past.
var errOld = fault.New(fault.NotFound, "the server answers for an old block").WithHint("ask another")

// proves finds the header that carries a state: the one after the block, or,
// when the block was empty and is the newest, its own.
func (f *Follower) proves(ctx context.Context, s Server, height int64, state Hash) (Header, error) {
	own, err := f.headerOf(ctx, s, height)
	if err == nil && own.State == state {
		return own, nil
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Header{}, err
	}
	next, err := f.headerOf(ctx, s, height+1)
	if err == nil && next.State != state {
		err = unproven("answer", fmt.Errorf("header %d carries state %s, not %s", next.Height, next.State, state))
	}
	return next, err
}
