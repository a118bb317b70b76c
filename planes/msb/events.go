package msb

import (
	"intercom/core/bft"
	"intercom/planes/msb/outbox"
)

// The events of the plane. txEvent is published at every change of a transaction
// of this peer, as "tx_changed".
type txEvent struct {
	Network string       `json:"network"`
	Hash    string       `json:"hash"`
	State   outbox.State `json:"state"`
	Code    *uint32      `json:"code,omitempty"`
	Height  uint64       `json:"height,omitempty"`
}

// healthEvent is published when the health of the network changes, as "msb_health".
type healthEvent struct {
	Network string `json:"network"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
}

// liarEvent is published when a server sent what does not hold, as "msb_liar".
type liarEvent struct {
	Network string `json:"network"`
	Peer    string `json:"peer"`
	Fault   string `json:"fault"` // lied, or forked: two valid headers of one height
	Reason  string `json:"reason"`
}

func (n *network) changed(e outbox.Entry) {
	event := txEvent{Network: n.settings.Network, Hash: e.ID.String(), State: e.State, Height: e.Height}
	if code := uint32(e.Code); e.Ended() && e.State != outbox.Expired {
		event.Code = &code
	}
	n.plane.cfg.Hub.Publish("tx_changed", event)
}

func (n *network) health(h bft.Health) {
	if h.State == bft.Healthy {
		n.rise.Do(func() { close(n.up) })
		n.outbox.Wake()
	}
	if h.State == bft.Failed {
		n.log.Error("the settlement network cannot go on", "reason", h.Reason)
	}
	n.plane.cfg.Hub.Publish("msb_health", healthEvent{Network: n.settings.Network, State: string(h.State), Reason: h.Reason})
}

// notice is told what servers do wrong. One that lies is asked no more; being
// behind or silent happens to the honest.
func (n *network) notice(notice bft.Notice) {
	if notice.Fault != bft.Lied && notice.Fault != bft.Forked {
		return
	}
	n.servers.drop(notice.Server)
	reason := ""
	if notice.Err != nil {
		reason = notice.Err.Error()
	}
	n.log.Error("a peer lies about the settlement network and is asked no more", "peer", notice.Server, "fault", notice.Fault, "reason", reason)
	n.plane.cfg.Hub.Publish("msb_liar", liarEvent{
		Network: n.settings.Network, Peer: notice.Server, Fault: string(notice.Fault), Reason: reason,
	})
}
