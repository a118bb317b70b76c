package agent

import (
	"encoding/json"
	"sync"

	"intercom/core/fault"
)

// maxChannels bounds how many channels a client may name in its subscription,
// and how many it may leave before the first one left is heard again.
const maxChannels = 1024

// maxChannelText bounds the text of a channel in a subscription, in bytes.
const maxChannelText = 1024

// interest is what a client wants to be told.
type interest struct {
	mu         sync.Mutex
	subscribed names // none means all channels
	left       names // channels the client left and did not come back to
	filter     filter
	scope      map[string]bool // the channels that the filter applies to; nil means all
	events     bool            // whether it wants events that are no messages
}

// subscribe adds channels and gives the whole set.
func (i *interest) subscribe(channels []string) ([]string, *fault.Error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, channel := range channels {
		if len(channel) > maxChannelText || (len(i.subscribed.order) >= maxChannels && !i.subscribed.has(channel)) {
			return nil, fault.New(fault.Limited, "a subscription names at most %d channels of at most %d bytes", maxChannels, maxChannelText).
				WithHint("unsubscribe from some, or from all to hear every channel")
		}
		i.subscribed.add(channel)
		i.left.remove(channel)
	}
	return i.subscribed.list(), nil
}

// unsubscribe removes channels and gives what is left of the set.
func (i *interest) unsubscribe(channels []string) []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, channel := range channels {
		i.subscribed.remove(channel)
	}
	return i.subscribed.list()
}

// enter notes that the client joined a channel, or spoke in it.
func (i *interest) enter(channel string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left.remove(channel)
}

// leave notes that the client does not want a channel any more, although the
// peer may stay in it for others.
func (i *interest) leave(channel string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.subscribed.remove(channel)
	if len(channel) > maxChannelText {
		return
	}
	if len(i.left.order) >= maxChannels {
		i.left.remove(i.left.order[0])
	}
	i.left.add(channel)
}

func (i *interest) setFilter(f filter) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.filter = f
}

func (i *interest) setEvents(on bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = on
}

func (i *interest) wantsEvents() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.events
}

// wantsMessage decides over the data of a sidechannel_message, reading it only
// as far as the decision needs: the channel comes first in it.
func (i *interest) wantsMessage(data json.RawMessage) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.subscribed.order) == 0 && len(i.left.order) == 0 && len(i.filter) == 0 {
		return true
	}
	channel := asText(first(data, "channel"))
	switch {
	case i.left.has(channel):
		return false
	case len(i.subscribed.order) > 0 && !i.subscribed.has(channel):
		return false
	case len(i.filter) == 0 || (i.scope != nil && !i.scope[channel]):
		return true
	default:
		return i.filter.matches(filterText(first(data, "message")))
	}
}

// names is a set of texts that keeps the order in which they came.
type names struct {
	order []string
	set   map[string]bool
}

func (n *names) has(name string) bool { return n.set[name] }

func (n *names) add(name string) {
	if n.set[name] {
		return
	}
	if n.set == nil {
		n.set = map[string]bool{}
	}
	n.set[name] = true
	n.order = append(n.order, name)
}

func (n *names) remove(name string) {
	if !n.set[name] {
		return
	}
	delete(n.set, name)
	kept := make([]string, 0, len(n.order)-1)
	for _, other := range n.order {
		if other != name {
			kept = append(kept, other)
		}
	}
	n.order = kept
}

// list is a copy, never nil.
func (n *names) list() []string { return append([]string{}, n.order...) }
