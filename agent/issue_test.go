package agent

import (
	"log/slog"
	"testing"

	"intercom/core/event"
	"intercom/core/op"
)

func TestIssuedTokensAreBoundedAndRedacted(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	b := New(Config{Token: "long-lived"}, op.NewRegistry(event.NewHub("test", event.Limits{}), log), Hello{}, log)
	first := b.Issue()
	if !b.guard.open([]byte(`"`+string(first)+`"`)) || !b.guard.open([]byte(`"long-lived"`)) || b.guard.open([]byte(`"other"`)) {
		t.Error("the wrong tokens count")
	}
	for range maxIssued {
		b.Issue()
	}
	if b.guard.open([]byte(`"` + string(first) + `"`)) {
		t.Error("the oldest token counts, although as many newer ones were issued as there may be")
	}
}
