// Package ondemand runs something from its first use on: until somebody asks for
// it there is nothing, and when it fails the next who asks gets a new one.
//
// What it is, how it is opened and why it failed is left to whoever runs it.
package ondemand

import (
	"context"
	"sync"
	"time"
)

// Part is a thing that is there on demand; its zero value is the thing's absence.
// Its methods may be called from any goroutine at any time.
type Part[T any] struct {
	stopped func() error // what callers get when it ran and ended

	begin chan *attempt[T] // to Run
	ended chan struct{}    // Run has returned

	mu      sync.Mutex
	current *attempt[T] // nil: nobody has asked for it yet
}

// attempt is one try to have it.
type attempt[T any] struct {
	done  chan struct{} // closed when thing or err is set
	thing T
	err   error
}

// New makes a part that is not there; stopped makes the error for those who ask
// when it no longer is.
func New[T any](stopped func() error) *Part[T] {
	return &Part[T]{stopped: stopped, begin: make(chan *attempt[T], 1), ended: make(chan struct{})}
}

// Run waits until somebody wants it, and then has live open it, tell that it is
// ready, and run it until ctx ends or it fails; an error of live is for those who
// wait. Run returns when ctx has ended. It runs once.
func (p *Part[T]) Run(ctx context.Context, live func(ctx context.Context, ready func(T)) error) {
	defer close(p.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-p.begin:
			p.lose(a, live(ctx, func(thing T) { p.settle(a, thing, nil) }))
		}
	}
}

// settle tells those who wait how an attempt went; only the first time counts.
func (p *Part[T]) settle(a *attempt[T], thing T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.ended() {
		a.thing, a.err = thing, err
		close(a.done)
	}
}

// lose ends an attempt: the next call makes another one.
func (p *Part[T]) lose(a *attempt[T], err error) {
	if err == nil {
		err = p.stopped()
	}
	var none T
	p.settle(a, none, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == a {
		p.current = nil
	}
}

func (a *attempt[T]) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// Want has it begin, unless it has, and does not wait.
func (p *Part[T]) Want() { p.want() }

func (p *Part[T]) want() *attempt[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.current; a != nil && !(a.ended() && a.err != nil) {
		return a
	}
	a := &attempt[T]{done: make(chan struct{})}
	p.current = a
	p.begin <- a // Run takes it: there is one attempt at a time
	return a
}

// Use gives it, and has it begin if need be. Who has waited for patience gets the
// error that late makes.
func (p *Part[T]) Use(ctx context.Context, patience time.Duration, late func() error) (thing T, err error) {
	select {
	case <-p.ended:
		return thing, p.stopped()
	default:
	}
	a := p.want()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.done:
		return a.thing, a.err
	case <-ctx.Done():
		return thing, ctx.Err()
	case <-p.ended:
		return thing, p.stopped()
	case <-timer.C:
		return thing, late()
	}
}

// Running gives it while it is there, and starts nothing.
func (p *Part[T]) Running() (thing T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.current; a != nil && a.ended() {
		return a.thing
	}
	return thing
}
