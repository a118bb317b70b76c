package p2p

import (
	"context"
	"sync"

	"intercom/core/fault"
)

// Run looks for peers and keeps those that were found, until ctx is done or the
// host closes. It returns nil then, and what it started has ended; the host
// still answers who calls, until it closes.
func (h *Host) Run(ctx context.Context) error {
	if err := h.startRunning(); err != nil {
		return err
	}
	defer h.stopRunning()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()

	var loops sync.WaitGroup
	defer loops.Wait()
	run := func(loop func(context.Context)) { loops.Go(func() { loop(ctx) }) }
	for range dialWorkers {
		run(h.dialer.work)
		run(h.hints.work)
	}
	run(h.lookout.redial)
	run(h.lookout.examine)
	run(h.exchange.run)
	run(h.rendezvous.run)
	for _, s := range h.seeds {
		run(s.run)
	}
	if h.entry != nil {
		run(h.entry.run)
	}
	if h.backbone != nil {
		run(h.backbone.run)
	}
	if h.mdns {
		run(func(ctx context.Context) { runMDNS(ctx, h.net, h.hints, h.log) })
	}
	if h.publicDHT {
		run(func(ctx context.Context) {
			if err := h.rendezvous.usePublicDHT(ctx, h.net); err != nil {
				h.log.Warn("the public DHT is not used", "error", err)
			}
		})
	}
	<-ctx.Done()
	return nil
}

func (h *Host) startRunning() error {
	h.closing.Lock()
	defer h.closing.Unlock()
	switch {
	case h.ctx.Err() != nil:
		return errClosed()
	case h.running:
		return fault.New(fault.Conflict, "this host runs already")
	}
	h.running = true
	h.loops.Add(1)
	return nil
}

func (h *Host) stopRunning() {
	h.closing.Lock()
	defer h.closing.Unlock()
	h.running = false
	h.loops.Done()
}
