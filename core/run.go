// Package core runs the planes of a peer, and nothing else.
//
// It knows a plane only as something that has operations and runs. Planes do
// not know each other; what one needs of another is plugged in by whoever
// assembles the peer.
package core

import (
	"context"

	"golang.org/x/sync/errgroup"

	"intercom/core/op"
)

// Plane is one part of a peer's life.
type Plane interface {
	// Ops are the operations of the plane.
	Ops() []*op.Op
	// Run works until ctx ends. When it returns, all it started has ended.
	Run(ctx context.Context) error
}

// Run runs planes until ctx ends or one of them fails, which ends the others.
// It returns the first error, and nil when ctx ended.
func Run(ctx context.Context, planes ...Plane) error {
	group, running := errgroup.WithContext(ctx)
	for _, plane := range planes {
		group.Go(func() error { return plane.Run(running) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
