package subnet

import (
	"context"
	"strconv"
	"time"

	"intercom/planes/subnet/machine"
)

// The timer is the feature that upstream has as its example of an oracle: the
// admin's peer says what time it is (upstream 3.9).
const (
	timerFeature = "timer"
	timerKey     = "currentTime"
)

// tick writes the time, as long as this peer is the admin's, until ctx ends.
func (m *member) tick(ctx context.Context) error {
	every := m.plane.cfg.Timer
	if every <= 0 {
		return nil
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			if m.isAdmin() {
				value := strconv.FormatInt(now.UnixMilli(), 10)
				if _, err := m.append(ctx, &machine.Feature{Name: timerFeature, Key: timerKey, Value: []byte(value)}); err != nil && ctx.Err() == nil {
					m.logger.Warn("the timer's value is not written", "err", err)
				}
			}
		}
	}
}

func (m *member) isAdmin() bool {
	state, err := m.log.State()
	if err != nil {
		return false
	}
	s, err := machine.SettingsOf(state)
	return err == nil && s.Admin == m.self
}
