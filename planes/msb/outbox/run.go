package outbox

import (
	"context"
	"strings"
	"sync"
	"time"

	"intercom/planes/msb/bus"
)

// maxTurns bounds the turns that run at a time, most of which wait for a block:
// too low and they are what limits a busy network, too high and they cost memory.
const maxTurns = 1024

// maxQuestions bounds the questions to the network under way at a time, besides
// those that wait for a block: each may be a stream to every server, and a server
// works on 32 of one peer.
const maxQuestions = 16

// maxText bounds what is kept of a node's words, in bytes.
const maxText = 300

// patience bounds one question to the network.
const patience = 15 * time.Second

// Run sends what has not ended until ctx is done, which is no error, or the disk
// fails, which is one. It may be run again.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.tellUntold(); err != nil {
		return err
	}
	parent := ctx
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var turns sync.WaitGroup
	defer turns.Wait()
	for {
		idle := o.start(func(f *flight) {
			turns.Go(func() {
				if err := o.turn(ctx, f); err != nil {
					stop(err)
				}
			})
		})
		timer := time.NewTimer(idle)
		select {
		case <-o.wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if parent.Err() != nil {
				return nil
			}
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// tellUntold tells what the process before ended and may not have told.
func (o *Outbox) tellUntold() error {
	ids, err := o.shelf.untold()
	for _, id := range ids {
		if err != nil {
			return err
		}
		var e Entry
		var ok bool
		if e, ok, err = o.shelf.get(id); ok {
			o.cfg.OnChange(e)
		}
		if err == nil {
			err = o.shelf.told(id)
		}
	}
	return err
}

// start begins the turns that are due, as many as may run, and tells when to come
// again.
func (o *Outbox) start(begin func(*flight)) (idle time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.turns < maxTurns {
		f, idle := o.queue.take(time.Now())
		if f == nil {
			return idle
		}
		o.turns++
		begin(f)
	}
	return time.Hour // the end of a turn wakes
}

// turn runs a task until it rests or has ended. An error is one of the disk.
func (o *Outbox) turn(ctx context.Context, f *flight) error {
	defer o.leave(f)
	for in := input(begin{}); in != nil; {
		var err error
		if in, err = o.move(ctx, f, in); err != nil {
			return err
		}
	}
	return nil
}

// move takes one step and does what it wants; nil when the turn is over. What is
// to be offered counts as sent when its question is asked, not while it queues.
func (o *Outbox) move(ctx context.Context, f *flight, in input) (input, error) {
	next, what := f.step(in, time.Now())
	asking := ctx
	if what == offer || what == look {
		select {
		case o.questions <- struct{}{}:
			defer func() { <-o.questions }()
		case <-ctx.Done():
			return nil, nil
		}
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	if err := o.become(f, next); err != nil {
		return nil, err
	}
	switch what {
	case offer:
		return o.offer(asking, f), nil
	case look:
		return o.look(asking, f.ID), nil
	case watch:
		return o.watch(ctx, f), nil
	default:
		return nil, nil
	}
}

func (o *Outbox) leave(f *flight) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turns--
	if !f.Ended() {
		o.queue.add(f)
	}
	o.signal()
}

func (o *Outbox) offer(ctx context.Context, f *flight) input {
	result, err := o.cfg.Port.Submit(ctx, f.Raw)
	if err != nil {
		o.cfg.Log.Debug("a transaction was not taken", "tx", f.ID, "err", err)
	}
	result.Text = strings.ToValidUTF8(result.Text[:min(len(result.Text), maxText)], "")
	return answer{result, err}
}

func (o *Outbox) look(ctx context.Context, id bus.ID) input {
	switch r, found, at, err := o.cfg.Port.Record(ctx, id); {
	case err != nil:
		return blind{err}
	case found:
		return settled{r}
	default:
		return absent{at}
	}
}

func (o *Outbox) watch(ctx context.Context, f *flight) input {
	ctx, cancel := context.WithDeadline(ctx, f.due)
	defer cancel()
	r, err := o.cfg.Port.Wait(ctx, f.ID)
	if err != nil {
		return blind{err}
	}
	return settled{r}
}

// become makes a task what the step says. What ends it without a proof in the
// network is on the disk before anybody knows; the rest can be found again.
func (o *Outbox) become(f *flight, next task) error {
	changed := next.State != f.State
	lasting := next.State == Failed && next.Height == 0
	if changed && lasting {
		if err := o.end(f, next.Entry, true); err != nil {
			return err
		}
	}
	o.mu.Lock()
	f.task = next
	if changed {
		close(f.changed)
		f.changed = make(chan struct{})
	}
	o.mu.Unlock()
	if !changed {
		return nil
	}
	o.cfg.OnChange(next.Entry)
	switch {
	case lasting:
		o.drop(f.ID)
		return o.shelf.told(f.ID)
	case next.Ended():
		err := o.end(f, next.Entry, false)
		if err == nil {
			o.drop(f.ID)
		}
		return err
	default:
		return o.shelf.update(next.Entry)
	}
}

// end stores how an entry ended, and forgets the oldest of too many.
func (o *Outbox) end(f *flight, e Entry, lasting bool) error {
	o.ending.Lock()
	defer o.ending.Unlock()
	if err := o.shelf.end(f.number, o.ended, e, lasting); err != nil {
		return err
	}
	o.ended++
	o.kept++
	if surplus := o.kept - o.cfg.Keep; surplus > o.cfg.Keep/8 {
		o.kept -= surplus
		return o.shelf.forget(surplus)
	}
	return nil
}

// drop removes an entry whose end is stored from memory.
func (o *Outbox) drop(id bus.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, id)
	o.places--
}
