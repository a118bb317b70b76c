package attach

import (
	"context"
	"time"

	"intercom/core/fault"
)

const (
	decideTime = 5 * time.Second
	decideStep = 50 * time.Millisecond
)

// Outcome is what [Decide] came to: one of the two is set.
type Outcome struct {
	Lock   *Lock   // the store is ours: run a peer on it
	Client *Client // a peer runs on it: call that one
}

// Decide finds out, within 5 s, whether to run a peer on the store at dir or to
// attach to one: whoever has the lock runs it. Between taking the lock and
// answering on the socket a host needs a moment; hence the loop.
//
// A peer of another protocol version gives [fault.Conflict] at once.
func Decide(ctx context.Context, dir string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	for {
		lock, taken, err := TryLock(dir)
		if err != nil {
			return Outcome{}, err
		}
		if taken {
			return Outcome{Lock: lock}, nil
		}
		client, err := Dial(ctx, dir)
		if err == nil {
			return Outcome{Client: client}, nil
		}
		if fault.KindOf(err) == fault.Conflict {
			return Outcome{}, err
		}
		sleep(ctx, decideStep)
		if ctx.Err() != nil {
			return Outcome{}, fault.New(fault.Unavailable, "the store %s is in use, but its peer does not answer: %w", dir, err).
				WithHint("wait until it has started or ended, or stop the process that holds %s", lockName)
		}
	}
}
