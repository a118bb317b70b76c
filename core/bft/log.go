package bft

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/cometbft/cometbft/libs/log"
)

// words gives the engine's words to slog: what it calls information is for
// debugging, and its errors are mostly peers that went away. One line is not:
// consensus that panicked says so here and nowhere else.
type words struct {
	log    *slog.Logger
	failed func(reason string)
}

func (w words) Debug(string, ...any) {} // thousands a second

func (w words) Info(msg string, pairs ...any) { w.log.Debug(msg, printable(pairs)...) }
func (w words) Warn(msg string, pairs ...any) { w.log.Debug(msg, printable(pairs)...) }
func (w words) With(pairs ...any) log.Logger  { return words{w.log.With(printable(pairs)...), w.failed} }
func (w words) Error(msg string, pairs ...any) {
	if !strings.Contains(msg, "CONSENSUS FAILURE") {
		w.log.Info(msg, printable(pairs)...)
		return
	}
	w.log.Error(msg, printable(pairs)...)
	reason := msg
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == "err" {
			reason = fmt.Sprint(pairs[i+1])
		}
	}
	w.failed(reason)
}

// printable makes values that the engine made to be printed lazily, or that
// change meanwhile, safe to keep: they are formatted only when written.
func printable(pairs []any) []any {
	out := make([]any, len(pairs))
	for i, v := range pairs {
		switch v.(type) {
		case string, int, int32, int64, uint64, bool, error, nil:
			out[i] = v
		default:
			if i%2 == 0 {
				out[i] = fmt.Sprint(v)
			} else {
				out[i] = later{v}
			}
		}
	}
	return out
}

type later struct{ value any }

func (l later) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(l.value)) }
