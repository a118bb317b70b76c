package bft

import (
	"context"
	"errors"
	"fmt"
	"time"

	"intercom/core/fault"
)

var errImpatient = errors.New("no answer in time")

// answer is what one server said.
type answer[T any] struct {
	server Server
	value  T
	err    error
}

// each asks all servers at once. When one has answered well the others have a
// moment left; with nobody to wait for it returns.
func each[T any](ctx context.Context, f *Follower, ask func(context.Context, Server) (T, error)) ([]answer[T], error) {
	if err := f.forked(); err != nil {
		return nil, err
	}
	servers := f.cfg.Servers()
	servers = servers[:min(len(servers), maxServers)]
	if len(servers) == 0 {
		return nil, f.alone()
	}
	all, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(f.cfg.Patience, func() { cancel(errImpatient) })
	defer patience.Stop()
	got := make(chan answer[T], len(servers))
	for _, s := range servers {
		go func() { // waited for below: every one sends
			value, err := ask(all, s)
			f.report(all, s.Name, err)
			got <- answer[T]{s, value, err}
		}()
	}
	answers := make([]answer[T], 0, len(servers))
	for range servers {
		a := <-got
		answers = append(answers, a)
		if a.err == nil {
			patience.Reset(min(grace, f.cfg.Patience))
		}
	}
	if ctx.Err() != nil {
		return answers, fmt.Errorf("asking the servers of chain %q: %w", f.cfg.Genesis.ChainID, ctx.Err())
	}
	return answers, f.forked()
}

// Sync asks every server for its newest block, takes over what changed among
// the validators, and gives the newest header that holds. With no server that
// has one it is [fault.Unavailable].
func (f *Follower) Sync(ctx context.Context) (Header, error) {
	answers, err := each(ctx, f, f.newest)
	if err != nil {
		return Header{}, err
	}
	best := answer[Header]{err: errNothing}
	for _, a := range answers {
		if a.err == nil && (best.err != nil || a.value.Height > best.value.Height) {
			best = a
		}
	}
	if best.err != nil {
		return Header{}, best.err
	}
	head, _ := f.Head()
	for _, a := range answers {
		if a.err == nil && a.value.Height < head.Height-1 {
			f.notice(Notice{a.server.Name, Behind, fmt.Errorf("its newest block is %d, %d is proven", a.value.Height, head.Height)})
		}
		if a.err == nil && a.value.Height < best.value.Height {
			f.compare(ctx, best.server, a.value.Height)
		}
	}
	return head, f.forked()
}

var errNothing = fault.New(fault.Unavailable, "no server had a header that holds").
	WithHint("connect with another validator; what each one did is in the log")

// compare asks the server that is ahead for the header at which another one
// stands: two histories show themselves there.
func (f *Follower) compare(ctx context.Context, s Server, height int64) {
	asking, cancel := context.WithTimeout(ctx, f.cfg.Patience)
	defer cancel()
	raw, err := s.ask(asking, askHeader, askHeight(height))
	if err == nil {
		_, err = f.accept(s.Name, raw)
	}
	f.report(ctx, s.Name, err)
}

// newest brings the trust up to one server's newest block.
func (f *Follower) newest(ctx context.Context, s Server) (Header, error) {
	if _, ok := f.Head(); !ok {
		if err := f.first(ctx, s); err != nil {
			return Header{}, err
		}
	}
	for {
		trust, t, err := f.climb(ctx, s, f.Trust(), nil)
		if err != nil {
			return Header{}, err
		}
		if err := f.believe(trust); err != nil {
			return Header{}, err
		}
		if t.more {
			continue
		}
		h, err := f.accept(s.Name, t.signed)
		if err != nil {
			return Header{}, err
		}
		return h, f.advance(h, t.signed)
	}
}

// climb brings a trust as far as one answer of a server does; took is given
// every update that holds.
func (f *Follower) climb(ctx context.Context, s Server, trust Trust, took func(height int64, update []byte)) (Trust, tip, error) {
	raw, err := s.ask(ctx, askTip, askHeight(trust.Sets[len(trust.Sets)-1].From))
	if err != nil {
		return trust, tip{}, err
	}
	t, err := decodeTip(raw)
	if err != nil {
		return trust, tip{}, unproven("answer", err)
	}
	for _, update := range t.updates {
		if trust, err = Advance(trust, update); err != nil {
			return trust, tip{}, err
		}
		signed, _, err := decodeUpdate(update)
		if err != nil {
			return trust, tip{}, unproven("update of validators", err)
		}
		raw, _ := encodeSigned(signed.Header, signed.Commit)
		if err := f.sight(s.Name, ourHeader(signed.Header), raw); err != nil {
			return trust, tip{}, err
		}
		if took != nil {
			took(signed.Height, update)
		}
	}
	return trust, t, nil
}

// first checks that a server's chain begins with the genesis.
func (f *Follower) first(ctx context.Context, s Server) error {
	raw, err := s.ask(ctx, askHeader, askHeight(1))
	if err != nil {
		return err
	}
	h, err := f.accept(s.Name, raw)
	if err == nil && h.Height != 1 {
		err = unproven("header 1", fmt.Errorf("it has height %d", h.Height))
	}
	return err
}

// believe takes a longer trust; a shorter one came late.
func (f *Follower) believe(t Trust) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(t.Sets) <= len(f.trust.Sets) {
		return nil
	}
	f.trust = t
	return f.put(trustKey, t.Encode())
}

// advance takes a newer head.
func (f *Follower) advance(h Header, signed []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.Height <= f.head.Height {
		return nil
	}
	f.head, f.signed = h, signed
	return f.put(headKey, signed)
}

func (f *Follower) put(key, value []byte) error {
	if f.cfg.Space == nil {
		return nil
	}
	b := f.cfg.Space.Batch()
	b.Set(key, value)
	return b.Apply() // what is lost is asked for again
}
