package agent

import (
	"cmp"
	"context"
	"encoding/json"

	"intercom/core/fault"
)

// stats puts the statistics of the sidechannel into upstream's reply.
func (s *session) stats(ctx context.Context, _ request) any {
	result, f := s.call(ctx, "sc_stats", nil)
	if f != nil {
		return s.denied("sc_stats", notReady, f)
	}
	var known struct {
		Channels []struct {
			Channel string `json:"channel"`
			Name    string `json:"name"`
		} `json:"channels"`
		ConnectionCount int `json:"connectionCount"`
	}
	if json.Unmarshal(result, &known) != nil {
		return under(notReady, fault.New(fault.Internal, "the statistics have another form than the bridge knows"))
	}
	frame := statsFrame{
		Type: "stats", Channels: []string{},
		ConnectionCount: known.ConnectionCount, SidechannelStarted: true,
	}
	for _, c := range known.Channels {
		frame.Channels = append(frame.Channels, cmp.Or(c.Channel, c.Name))
	}
	return frame
}

// info gives what the peer tells about itself, as it is.
func (s *session) info(ctx context.Context, _ request) any {
	result, f := s.call(ctx, "info", nil)
	if f != nil {
		return under("Info not available.", f)
	}
	return infoFrame{Type: "info", Info: result}
}
