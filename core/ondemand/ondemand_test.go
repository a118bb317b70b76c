package ondemand_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/ondemand"
)

var (
	errStopped = errors.New("it has stopped")
	errLate    = errors.New("it is late")
	errBroken  = errors.New("it is broken")
)

func late() error { return errLate }

// It begins at its first use, is shared, and a failure is told and tried anew.
func TestItIsThereOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		part := ondemand.New[*int](func() error { return errStopped })
		opened, fail := 0, make(chan error)
		go part.Run(ctx, func(ctx context.Context, ready func(*int)) error {
			if opened++; opened == 1 {
				return errBroken
			}
			n := opened
			ready(&n)
			select {
			case err := <-fail:
				return err
			case <-ctx.Done():
				return nil
			}
		})
		use := func() (*int, error) { return part.Use(ctx, time.Second, late) }
		synctest.Wait()
		if opened != 0 || part.Running() != nil {
			t.Fatal("it began unasked")
		}
		if _, err := use(); err != errBroken {
			t.Errorf("when it cannot be opened: %v", err)
		}
		first, err := use()
		again, _ := use()
		if err != nil || *first != 2 || again != first || part.Running() != first {
			t.Errorf("%v %v %v, opened %d times", first, again, err, opened)
		}
		fail <- errBroken
		synctest.Wait()
		if part.Running() != nil {
			t.Error("it runs after it failed")
		}
		if next, err := use(); err != nil || *next != 3 {
			t.Errorf("after a failure: %v %v", next, err)
		}
		cancel()
		synctest.Wait()
		if _, err := part.Use(t.Context(), time.Second, late); err != errStopped || part.Running() != nil {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestWhoWaitsIsPatientAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := ondemand.New[*int](func() error { return errStopped })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			part.Run(ctx, func(ctx context.Context, _ func(*int)) error { <-ctx.Done(); return ctx.Err() })
		}()
		if _, err := part.Use(t.Context(), time.Second, late); err != errLate {
			t.Errorf("after its patience: %v", err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := part.Use(gone, time.Second, late); err != context.Canceled {
			t.Errorf("who left: %v", err)
		}
		cancel()
		<-done
	})
}
