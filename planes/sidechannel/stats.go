package sidechannel

import (
	"context"
	"time"

	"intercom/core/op"
)

type statsIn struct{}

type statsOut struct {
	Channels        []channelStats `json:"channels" jsonschema:"the joined channels, by name"`
	ConnectionCount int            `json:"connectionCount" jsonschema:"connected peers"`
	Blocked         int            `json:"blocked" jsonschema:"peers and addresses that are blocked now"`
	Totals          Counts         `json:"totals" jsonschema:"counts since the start, of channels left since too"`
	Limits          limits         `json:"limits" jsonschema:"what bounds this plane"`
}

type channelStats struct {
	Name    ChannelName `json:"name" jsonschema:"name of the channel"`
	Members int         `json:"members" jsonschema:"connected peers that are in it too"`
	Open    bool        `json:"open" jsonschema:"whoever knows the name may read"`
	Work    int         `json:"work_bits,omitempty" jsonschema:"bits of the proof of work that it asks for"`
	Counts
}

type limits struct {
	Channels     int   `json:"channels" jsonschema:"channels that may be joined"`
	NameBytes    int   `json:"name_bytes" jsonschema:"bytes of a channel's name"`
	FrameBytes   int   `json:"frame_bytes" jsonschema:"bytes of a frame, of which about 460 are the envelope"`
	KeptMessages int   `json:"kept_messages" jsonschema:"messages kept for sc_read, per channel"`
	KeptBytes    int   `json:"kept_bytes" jsonschema:"bytes kept for sc_read, per channel"`
	KeptInAll    int   `json:"kept_bytes_in_all" jsonschema:"bytes kept for sc_read, all channels together"`
	MaxAge       int64 `json:"max_age_ms" jsonschema:"how old a frame may be"`
	MaxAhead     int64 `json:"max_ahead_ms" jsonschema:"how far ahead a frame may be dated"`
	ReplayIDs    int   `json:"replay_ids" jsonschema:"ids remembered so that nothing is delivered twice"`
	SendBytes    int   `json:"send_bytes" jsonschema:"bytes of a frame that this peer sends"`
	Rate         int   `json:"rate_bytes" jsonschema:"bytes a second that one peer may send over time; 0 means no limits"`
	Burst        int   `json:"burst_bytes" jsonschema:"bytes that it may send at once"`
	Strikes      int   `json:"strikes" jsonschema:"frames beyond that, within 5 s, which block it"`
	Block        int64 `json:"block_ms" jsonschema:"how long it is blocked"`
	Requests     int   `json:"requests" jsonschema:"requests to open channels that are kept"`
	AutoJoined   int   `json:"auto_joined" jsonschema:"channels that others may make this peer join, in one run"`
	Guests       int   `json:"guests" jsonschema:"invites of others remembered per channel"`
	Revocations  int   `json:"revocations" jsonschema:"revocations per channel"`
}

func (p *Plane) opStats() *op.Op {
	return op.New(op.Spec[statsIn, statsOut]{
		Name: "sc_stats", Owner: owner, Summary: "Show channels, members, counts and limits of the sidechannel",
		Notes:  "dropped counts frames that were not delivered, by reason. Many too_old or too_new mean that a clock is wrong, here or there.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Example: `{}`,
		Run: func(context.Context, statsIn) (statsOut, error) { return p.stats(), nil },
	})
}

func (p *Plane) stats() statsOut {
	rates := p.policy.Rates
	out := statsOut{
		Channels: []channelStats{}, ConnectionCount: len(p.net.Peers()), Totals: p.totals.counts(), Blocked: p.screen.limits.count(time.Now()),
		Limits: limits{
			Channels: p.limit, NameBytes: maxNameBytes, FrameBytes: MaxFrameBytes,
			KeptMessages: inboxMessages, KeptBytes: inboxBytes, KeptInAll: inboxesBytes,
			MaxAge: MaxAge.Milliseconds(), MaxAhead: MaxAhead.Milliseconds(), ReplayIDs: replayLimit,
			SendBytes: p.policy.maxFrame(), Rate: rates.bytes(), Burst: rates.burst(), Strikes: rates.strikes(), Block: BlockTime.Milliseconds(),
			Requests: maxRequests, AutoJoined: maxAutoJoined, Guests: maxGuests, Revocations: maxRevocations,
		},
	}
	if rates.Unlimited {
		out.Limits.Rate = 0
	}
	for _, ch := range p.list() {
		out.Channels = append(out.Channels, channelStats{Name: ch.name, Members: len(p.members(ch)), Open: ch.law.open(), Work: ch.bits, Counts: ch.tally.counts()})
	}
	return out
}
