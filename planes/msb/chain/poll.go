package chain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// Pauses between two rounds of questions.
const (
	shortPause = 20 * time.Millisecond
	longPause  = 2 * time.Second
)

// poll waits for transactions that are settled elsewhere. Whoever has the turn
// asks for all who wait, less and less often while nothing new is waited for;
// nothing runs when nobody waits.
type poll struct {
	waiters waiters
	turn    chan struct{} // holds one
	fresh   chan struct{} // holds one: somebody began to wait
	records func(ctx context.Context, ids []bus.ID) ([]Status, int64, error)
}

func (p *poll) wait(ctx context.Context, id bus.ID) (bus.Record, error) {
	c, err := p.waiters.add(id)
	if err != nil {
		return bus.Record{}, err
	}
	defer p.waiters.drop(id, c)
	select {
	case p.fresh <- struct{}{}:
	default:
	}
	for {
		select {
		case r := <-c:
			return r, nil
		case <-ctx.Done():
			return bus.Record{}, fmt.Errorf("waiting for transaction %s: %w", id, ctx.Err())
		case p.turn <- struct{}{}:
			err := p.lead(ctx, c)
			<-p.turn
			if err != nil {
				return bus.Record{}, err
			}
		}
	}
}

// lead asks until the one who leads was told, or may wait no longer.
func (p *poll) lead(ctx context.Context, own <-chan bus.Record) error {
	for pause := shortPause; ; pause = min(pause*3/2, longPause) {
		if err := p.ask(ctx); err != nil {
			return err
		}
		if len(own) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.fresh:
			pause = shortPause
		case <-time.After(pause):
		}
	}
}

// ask is one round. Servers that do not answer may come back; what is wrong for
// good ends the waiting.
func (p *poll) ask(ctx context.Context) error {
	for ids := range slices.Chunk(p.waiters.ids(), MaxRecords) {
		list, _, err := p.records(ctx, ids)
		switch fault.KindOf(err) {
		case fault.Conflict, fault.Invalid, fault.Internal:
			return err
		}
		for i, status := range list {
			if status.Settled {
				p.waiters.tell(ids[i], status.Record)
			}
		}
	}
	return nil
}
