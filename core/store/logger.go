package store

import (
	"fmt"
	"log/slog"
)

// logger gives pebble's words to slog.
type logger struct{ log *slog.Logger }

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("pebble", "said", lazy{format, args})
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Warn("pebble", "said", lazy{format, args})
}

// Fatalf must not return: pebble cannot go on. In a call of ours the panic is
// contained and the call answers a fault; on a goroutine of pebble's it ends
// the process, with what was acknowledged on the disk.
func (l logger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.log.Error("pebble cannot go on", "err", err)
	panic(fatal{err})
}

// lazy formats only when somebody listens at that level.
type lazy struct {
	format string
	args   []any
}

func (l lazy) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf(l.format, l.args...)) }

// fatal is the panic of Fatalf.
type fatal struct{ error }

// contain runs a call of pebble and turns a panic of pebble's into an error.
func contain(do func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fatal:
			err = p.error
		case error:
			err = p
		default:
			err = fmt.Errorf("%v", p)
		}
	}()
	return do()
}
