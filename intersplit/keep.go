package intersplit

import (
	"context"
	"time"
)

// When the snapshot file is written.
const (
	quietTime  = time.Second      // without a change
	restfully  = 20               // times as long as the last writing took, at least
	lastChance = 20 * time.Second // for the writing at the end
)

// snapshots keeps the snapshot file up to date.
type snapshots struct {
	path  string        // "" for no file
	dirty chan struct{} // holds one token after a change
}

func (s *snapshots) init(path string) {
	s.path, s.dirty = path, make(chan struct{}, 1)
}

// touch tells of a change.
func (s *snapshots) touch() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// keepSnapshots writes the file after a quiet second, rarer when it takes long,
// and when ctx ends, until when it runs.
func (r *Rooms) keepSnapshots(ctx context.Context) {
	if r.snapshots.path == "" {
		return
	}
	quiet := time.NewTimer(0)
	quiet.Stop()
	changed, pause := false, quietTime
	for {
		select {
		case <-r.snapshots.dirty:
			changed = true
			quiet.Reset(pause)
		case <-quiet.C:
			begun := time.Now()
			changed = !r.snapshot(ctx)
			pause = max(quietTime, restfully*time.Since(begun))
		case <-ctx.Done():
			if changed || len(r.snapshots.dirty) > 0 {
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastChance)
				defer cancel()
				r.snapshot(last)
			}
			return
		}
	}
}

// snapshot writes the file now.
func (r *Rooms) snapshot(ctx context.Context) (written bool) {
	err := r.writeSnapshots(ctx, r.snapshots.path)
	if err != nil && ctx.Err() == nil {
		r.log.Error("the snapshot file cannot be written; the store has everything", "file", r.snapshots.path, "err", err)
	}
	return err == nil
}
