package p2p

import (
	"context"
	"sync/atomic"
)

// Bounds of the frames of one topic that wait for Deliver.
const (
	deliverFrames = 4096
	deliverBytes  = 16 << 20
)

// deliveries is the bounded queue between Check and Deliver of one topic. One
// goroutine puts, one takes.
type deliveries struct {
	frames chan *Message
	bytes  atomic.Int64
}

func newDeliveries() *deliveries {
	return &deliveries{frames: make(chan *Message, deliverFrames)}
}

// put never blocks; false means that the queue is full.
func (d *deliveries) put(m *Message) bool {
	size := int64(len(m.Data))
	if d.bytes.Add(size) > deliverBytes {
		d.bytes.Add(-size)
		return false
	}
	select {
	case d.frames <- m:
		return true
	default:
		d.bytes.Add(-size)
		return false
	}
}

// next waits for a frame; false when ctx is done.
func (d *deliveries) next(ctx context.Context) (*Message, bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	select {
	case m := <-d.frames:
		d.bytes.Add(-int64(len(m.Data)))
		return m, true
	case <-ctx.Done():
		return nil, false
	}
}
