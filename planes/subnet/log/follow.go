package log

import (
	"context"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
)

// How often a follower that has every block asks for the next one: soon while it
// waits for one that it has reason to expect, otherwise now and then.
const (
	askSoon  = 25 * time.Millisecond
	askLater = 500 * time.Millisecond
)

// Follow confirms what the chain of that genesis confirms, from blocks that the
// servers give and that are verified one by one, until ctx is done, which is no
// error. A result other than the one that was signed is a fault.Conflict: nothing
// is confirmed here any more. Whoever runs a node of the chain does not follow.
func (l *Log) Follow(ctx context.Context, g bft.Genesis, servers func() []bft.Server) error {
	replica, err := bft.NewReplica(g, l, l.replicaSpace())
	if err != nil {
		return l.fail(err)
	}
	for turn := 0; ctx.Err() == nil; {
		asked := servers()
		found := false
		for range asked {
			if found, err = l.askOne(ctx, replica, asked[turn%len(asked)]); err != nil {
				return l.fail(err)
			}
			if found {
				break
			}
			turn++ // that one has nothing, or nothing good
		}
		if !found {
			l.rest(ctx)
		}
	}
	return nil
}

// askOne applies a server's next block. An error is one that ends it all.
func (l *Log) askOne(ctx context.Context, replica *bft.Replica, s bft.Server) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = replica.Ask(ctx, s)
	switch fault.KindOf(err) {
	case "":
		return true, nil
	case fault.Conflict:
		return false, err
	case fault.NotFound:
	default:
		l.logger.Debug("no block", "server", s.Name, "height", replica.Height()+1, "error", err)
	}
	if failed := l.failure(); failed != nil {
		return false, failed
	}
	return false, nil
}

// patience bounds how long one server may take over one block.
const patience = 10 * time.Second

// rest waits until it is worth to ask again.
func (l *Log) rest(ctx context.Context) {
	pause := askLater
	l.mu.Lock()
	if len(l.tail.list) > 0 {
		pause = askSoon
	}
	l.mu.Unlock()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-l.changed:
	case <-timer.C:
	}
}

// fail remembers a contradiction, loudly.
func (l *Log) fail(err error) error {
	if fault.KindOf(err) != fault.Conflict {
		return err
	}
	l.mu.Lock()
	l.broken = err
	l.mu.Unlock()
	l.logger.Error("nothing more is confirmed here", "error", err)
	return err
}

// failure is the contradiction that was met, if one was.
func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}
