package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"intercom/core/fault"
)

func TestOfKeepsAFaultAndHidesEverythingElse(t *testing.T) {
	denied := fault.New(fault.Denied, "channel %q needs an invite", "ops").WithHint("ask its owner for one")
	if got := fault.Of(fmt.Errorf("join: %w", denied)); got.Kind != fault.Denied || got.Hint != denied.Hint {
		t.Errorf("a wrapped fault became %+v", got)
	}
	if got := fault.Of(errors.New("seed=secret")); got.Kind != fault.Internal || strings.Contains(got.Message, "secret") {
		t.Errorf("a foreign error became %+v", got)
	}
	if got := fault.KindOf(fmt.Errorf("read: %w", context.Canceled)); got != fault.Cancelled {
		t.Errorf("a cancelled context became %q", got)
	}
	if fault.Of(nil) != nil || fault.KindOf(nil) != "" {
		t.Error("nil is not an error")
	}
}

func TestCauseStaysInspectable(t *testing.T) {
	err := fault.New(fault.Unavailable, "store: %w", io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
}
