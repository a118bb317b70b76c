package bft

import (
	"context"
	"errors"
	"fmt"

	"github.com/cometbft/cometbft/types"

	"intercom/core/fault"
)

// landing is a place in a chain where a newcomer may begin, proven from the
// genesis: the block of some height, and the next one, whose header carries the
// state and the results after it.
type landing struct {
	trust    Trust    // up to the validators of the block behind the next
	updates  [][]byte // what made it, one for every change
	changed  []int64  // the heights of their headers
	first    []byte   // signed header 1: others want to see it
	at, next *types.SignedHeader
}

func (l *landing) height() int64 { return l.at.Height }
func (l *landing) state() Hash   { return asHash(l.next.AppHash) }

// land takes over the newest state that servers prove, from one server after the
// other until one has given it; those that lie are noticed. keep is told of the
// place before the application takes anything, and makes it lasting.
func (f *Follower) land(ctx context.Context, app Snapshots, keep func(*landing) error) (*landing, error) {
	if _, err := f.Sync(ctx); err != nil {
		return nil, err
	}
	if head, _ := f.Head(); head.Height < 2 {
		return nil, errYoung
	}
	var last error = errNothing
	servers := f.cfg.Servers()
	for _, s := range servers[:min(len(servers), maxServers)] {
		l, err := f.place(ctx, s)
		if err == nil {
			if err := keep(l); err != nil {
				return nil, err
			}
			err = f.restore(ctx, s, app, l)
		}
		if err == nil {
			return l, nil
		}
		f.report(ctx, s.Name, err)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("taking over the state of chain %q: %w", f.cfg.Genesis.ChainID, ctx.Err())
		}
		last = fault.New(fault.Unavailable, "no server gave the state of chain %q: %v", f.cfg.Genesis.ChainID, err).
			WithHint("connect with another validator, or replay the blocks")
	}
	return nil, last
}

// errYoung is a chain that has no two blocks: there is nothing to take over.
var errYoung = fault.New(fault.NotFound, "the chain is too young for a snapshot").WithHint("replay its blocks")

// place verifies one server's newest block, and the one before it, from the
// genesis on: a newcomer keeps all that its own followers will ask for.
func (f *Follower) place(ctx context.Context, s Server) (*landing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*f.cfg.Patience, errImpatient)
	defer cancel()
	l := &landing{trust: f.cfg.Genesis.Trust()}
	var err error
	if l.first, err = s.ask(ctx, askHeader, askHeight(1)); err != nil {
		return nil, err
	}
	if h, err := f.accept(s.Name, l.first); err != nil {
		return nil, err
	} else if h.Height != 1 {
		return nil, unproven("header 1", fmt.Errorf("it has height %d", h.Height))
	}
	for {
		var t tip
		l.trust, t, err = f.climb(ctx, s, l.trust, func(height int64, update []byte) {
			l.updates, l.changed = append(l.updates, update), append(l.changed, height)
		})
		if err != nil {
			return nil, err
		}
		if l.next, err = f.open(s.Name, l.trust, t.signed); err != nil && t.more {
			continue
		}
		if err != nil {
			return nil, err
		}
		set, _ := l.trust.at(l.next.Height + 1)
		if !t.more && string(engineSet(set.Validators).Hash()) == string(l.next.NextValidatorsHash) {
			break
		}
		if err := ctx.Err(); err != nil { // the chain went on between two answers
			return nil, err
		}
	}
	if head, _ := f.Head(); l.next.Height < head.Height-1 {
		f.notice(Notice{s.Name, Behind, fmt.Errorf("its newest block is %d, %d is proven", l.next.Height, head.Height)})
		if l.next.Height < head.Height-MinKeep { // nobody may have the blocks that follow it
			return nil, errOld
		}
	}
	if l.next.Height < 2 {
		return nil, errYoung
	}
	raw, err := s.ask(ctx, askHeader, askHeight(l.next.Height-1))
	if err != nil {
		return nil, err
	}
	if l.at, err = f.open(s.Name, l.trust, raw); err != nil {
		return nil, err
	}
	if l.at.Height != l.next.Height-1 || string(l.next.LastBlockID.Hash) != string(l.at.Hash()) {
		return nil, unproven("header", errors.New("it is not the one before the newest"))
	}
	return l, nil
}

// open verifies a header with its signatures under a trust and notes it.
func (f *Follower) open(from string, t Trust, raw []byte) (*types.SignedHeader, error) {
	signed, err := t.open(raw)
	if err != nil {
		return nil, err
	}
	return signed, f.sight(from, ourHeader(signed.Header), raw)
}

// restore gives the application what one server sends, piece by piece. Only the
// whole can be checked, by its hash.
func (f *Follower) restore(ctx context.Context, s Server, app Snapshots, l *landing) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("the application panicked at a snapshot: %v", why)
		}
	}()
	var after []byte
	var asked error // what ended the sending
	left, end := int64(MaxSnapshot), false
	err = app.Restore(f.cfg.Genesis, l.height(), l.state(), func() ([]byte, error) {
		if end {
			return nil, nil
		}
		asking, cancel := context.WithTimeoutCause(ctx, f.cfg.Patience, errImpatient)
		defer cancel()
		raw, err := s.ask(asking, askPiece, askPlace(l.height(), after))
		if err != nil {
			asked = err
			return nil, err
		}
		piece, next, err := decodePiece(raw)
		if left -= int64(len(piece)); err == nil && left < 0 {
			err = fmt.Errorf("a state above %d bytes", int64(MaxSnapshot))
		}
		if err != nil {
			asked = unproven("piece of the state", err)
			return nil, asked
		}
		after, end = next, next == nil
		if end && len(piece) == 0 {
			return nil, nil
		}
		return piece, nil
	})
	switch {
	case err == nil:
		return nil
	case asked != nil:
		return asked
	case fault.KindOf(err) == fault.Invalid:
		return unproven("state", err)
	}
	return err
}
