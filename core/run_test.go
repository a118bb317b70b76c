package core_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"intercom/core"
	"intercom/core/op"
)

type plane func(context.Context) error

func (plane) Ops() []*op.Op                   { return nil }
func (p plane) Run(ctx context.Context) error { return p(ctx) }

func TestAFailingPlaneEndsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		ended := false
		err := core.Run(t.Context(),
			plane(func(context.Context) error { return broken }),
			plane(func(ctx context.Context) error { <-ctx.Done(); ended = true; return ctx.Err() }))
		if !errors.Is(err, broken) || !ended {
			t.Errorf("err %v, the other ended: %v", err, ended)
		}
	})
}

func TestEndingTheContextIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := core.Run(ctx, plane(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })); err != nil {
		t.Error(err)
	}
}
