// Package event is the hub of numbered events: what happened on this peer, in
// one bounded ring.
//
// A reader is nothing but a cursor into the ring. Publishing therefore never
// waits for anybody, a slow reader costs no memory, and a client that cannot
// subscribe reads the same events as one that is pushed to. Whoever is
// overtaken is told by a first event of kind "gap" how many it missed.
//
// Events live in memory only. A cursor names the instance that made it, so
// that one kept over a restart gives a gap and never wrong events.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"intercom/core/fault"
)

// Gap is the kind of the event that stands for events which are gone. Its data
// is {"missed": n}, n being null when the events were another instance's.
const Gap = "gap"

// Event is one thing that happened.
type Event struct {
	Seq  uint64          `json:"seq"`  // 1, 2, 3, … within one instance
	Kind string          `json:"kind"` // for example "sidechannel_message"
	TS   int64           `json:"ts"`   // when it was published, ms since 1970
	Data json.RawMessage `json:"data"`
}

// Cursor is a place between two events, as text: "<instance>:<seq>". The empty
// cursor stands before the oldest event that is still kept.
type Cursor string

// Batch is what one read gives: events in order and where to go on.
type Batch struct {
	Events []Event `json:"events"`
	Next   Cursor  `json:"next"`
}

// Limits bound the ring. Too low and readers see gaps; too high and the peer
// keeps memory for events that nobody reads.
type Limits struct {
	Events int // how many events are kept; 0 means 4096
	Bytes  int // how many bytes of data are kept; 0 means 16 MiB
}

// Hub is the ring. Its methods may be called from any goroutine.
type Hub struct {
	instance string
	limits   Limits

	mu     sync.Mutex
	ring   []Event       // the events first … first+len(ring)-1, oldest first
	first  uint64        // number of ring[0]; the next one to come when empty
	bytes  int           // bytes of data in the ring
	signal chan struct{} // closed and replaced at each publish
}

// NewHub makes an empty hub. The instance names this run of the peer in
// cursors; it must not contain a colon.
func NewHub(instance string, limits Limits) *Hub {
	if limits.Events == 0 {
		limits.Events = 4096
	}
	if limits.Bytes == 0 {
		limits.Bytes = 16 << 20
	}
	return &Hub{instance: instance, limits: limits, first: 1, signal: make(chan struct{})}
}

// Publish appends an event. Data that is no JSON is a bug of the caller and
// becomes null, so that the number still tells that something happened.
func (h *Hub) Publish(kind string, data any) {
	raw, ok := data.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(data); err != nil {
			raw = json.RawMessage("null")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.first + uint64(len(h.ring))
	h.ring = append(h.ring, Event{Seq: next, Kind: kind, TS: time.Now().UnixMilli(), Data: raw})
	h.bytes += len(raw)
	for len(h.ring) > h.limits.Events || (h.bytes > h.limits.Bytes && len(h.ring) > 1) {
		h.bytes -= len(h.ring[0].Data)
		h.ring[0] = Event{} // lets go of its data
		h.ring = h.ring[1:]
		h.first++
	}
	close(h.signal)
	h.signal = make(chan struct{})
}

// Now is the cursor behind the newest event: reading from it gives only what
// comes next.
func (h *Hub) Now() Cursor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cursor(h.first + uint64(len(h.ring)) - 1)
}

// Read gives up to limit events behind the cursor. It waits until there is at
// least one or the context ends; a context that ends first gives an empty
// batch with the same place, and no error.
func (h *Hub) Read(ctx context.Context, after Cursor, limit int) (Batch, error) {
	last, own, err := h.parse(after)
	if err != nil {
		return Batch{}, err
	}
	for {
		batch, signal := h.take(last, own, limit)
		if len(batch.Events) > 0 {
			return batch, nil
		}
		select {
		case <-signal:
		case <-ctx.Done():
			return batch, nil
		}
	}
}

// take reads without waiting, and gives the channel to wait on.
func (h *Hub) take(last uint64, own bool, limit int) (Batch, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	newest := h.first + uint64(len(h.ring)) - 1
	batch := Batch{Events: []Event{}}
	switch {
	case !own || last > newest: // another run's cursor
		batch.Events = append(batch.Events, gap(h.first-1, "null"))
		last = h.first - 1
	case last+1 < h.first:
		batch.Events = append(batch.Events, gap(h.first-1, strconv.FormatUint(h.first-1-last, 10)))
		last = h.first - 1
	}
	kept := h.ring[last+1-h.first:]
	if len(kept) > limit {
		kept = kept[:limit]
	}
	batch.Events = append(batch.Events, kept...)
	batch.Next = h.cursor(last + uint64(len(kept)))
	return batch, h.signal
}

func gap(seq uint64, missed string) Event {
	return Event{Seq: seq, Kind: Gap, TS: time.Now().UnixMilli(), Data: json.RawMessage(`{"missed":` + missed + `}`)}
}

func (h *Hub) cursor(seq uint64) Cursor {
	return Cursor(fmt.Sprintf("%s:%d", h.instance, seq))
}

// parse reads a cursor. The empty one stands before the oldest event; own says
// whether this instance made it.
func (h *Hub) parse(c Cursor) (last uint64, own bool, err error) {
	if c == "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.first - 1, true, nil
	}
	instance, text, found := strings.Cut(string(c), ":")
	last, parseErr := strconv.ParseUint(text, 10, 63)
	if !found || parseErr != nil {
		return 0, false, fault.New(fault.Invalid, "cursor %q is none of ours", c).
			WithHint("pass the `next` of an earlier answer as it is, or leave `after` out to begin at the oldest event")
	}
	return last, instance == h.instance, nil
}
