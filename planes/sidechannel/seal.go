package sidechannel

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/sidechannel/sealed"
)

// SealWith carries invite-only channels encrypted (see package sealed), with the
// keys that a keeper gets from other members and gives to them.
func SealWith(keeper *sealed.Keeper, net Network, signer Signer, log *slog.Logger) Sealer {
	return func(channel ChannelName, guests Guests, changed func()) Carriage {
		c := &closed{channel: channel, keeper: keeper, net: net, signer: signer, doors: map[[32]byte]func(){}, news: make(chan struct{}), opened: time.Now()}
		circle, err := keeper.Open(string(channel), guests, func() {
			c.knock()
			c.turned()
			changed()
		})
		if err != nil {
			log.Error("the keys of a channel cannot be read; it stays silent", "channel", channel, "err", err)
			return c
		}
		c.mu.Lock()
		c.circle = circle
		c.mu.Unlock()
		c.knock()
		return c
	}
}

// closed carries one invite-only channel.
type closed struct {
	channel ChannelName
	keeper  *sealed.Keeper
	net     Network
	signer  Signer

	mu     sync.Mutex
	circle *sealed.Circle      // nil when its keys could not be read
	doors  map[[32]byte]func() // where it looks for members; how to stop that
	ended  bool
	news   chan struct{} // closed when the keys change
	opened time.Time
}

// keyWait is how long, from the moment when a channel is joined, a message waits
// for the first key. Later it goes to nobody at once.
const keyWait = 5 * time.Second

// await waits for the first key of a channel that was joined just now.
func (c *closed) await(ctx context.Context) {
	timeout := time.NewTimer(time.Until(c.opened.Add(keyWait)))
	defer timeout.Stop()
	for {
		c.mu.Lock()
		news := c.news
		c.mu.Unlock()
		if len(c.keys()) > 0 {
			return
		}
		select {
		case <-news:
		case <-timeout.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// turned tells who waits that the keys changed.
func (c *closed) turned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.news)
	c.news = make(chan struct{})
}

// knock looks for members at the doors that are right now.
func (c *closed) knock() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.circle == nil || c.ended {
		return
	}
	right := map[[32]byte]bool{}
	for _, door := range c.circle.Doors() {
		right[door] = true
		if c.doors[door] == nil {
			c.doors[door] = c.net.Rendezvous(door)
		}
	}
	for door, stop := range c.doors {
		if !right[door] {
			stop()
			delete(c.doors, door)
		}
	}
}

// keys lists the keys that are accepted now.
func (c *closed) keys() []*sealed.Held {
	c.mu.Lock()
	circle := c.circle
	c.mu.Unlock()
	if circle == nil {
		return nil
	}
	return circle.Keys(time.Now())
}

func wayOf(held *sealed.Held) Way {
	return Way{Topic: hex.EncodeToString(held.Topic[:]), Rendezvous: held.Rendezvous}
}

// Ways implements [Carriage]: one for each key.
func (c *closed) Ways() []Way {
	var ways []Way
	for _, held := range c.keys() {
		ways = append(ways, wayOf(held))
	}
	return ways
}

// Seal implements [Carriage].
func (c *closed) Seal(frame []byte) (Way, []byte, error) {
	keys := c.keys()
	if len(keys) == 0 {
		return Way{}, nil, fault.New(fault.Unavailable, "channel %q is encrypted and this peer has no key for it yet", c.channel).
			WithHint("an inviter or any member hands it over once connected; send again then")
	}
	return wayOf(keys[0]), keys[0].Seal(c.signer, frame), nil
}

// Open implements [Carriage]. The author of the envelope must be the author that
// the frame names.
func (c *closed) Open(topic string, data []byte) (frame []byte, sealer identity.PublicKey, ok bool) {
	for _, held := range c.keys() {
		if wayOf(held).Topic != topic {
			continue
		}
		opened, err := held.Open(data)
		if err != nil {
			return nil, sealer, false
		}
		author, err := namedAuthor(opened.Frame)
		if err != nil || !opened.By(author) {
			return nil, sealer, false
		}
		return opened.Frame, author, true
	}
	return nil, sealer, false
}

// Rekey makes the next key of the channel, if this peer is an inviter.
func (c *closed) Rekey(now time.Time) (ok bool, err error) {
	c.mu.Lock()
	circle := c.circle
	c.mu.Unlock()
	if circle == nil {
		return false, errors.New("the keys of the channel cannot be read")
	}
	return circle.Rekey(now)
}

// Epoch tells how many keys the channel has had; 0 while this peer has none.
func (c *closed) Epoch() uint64 {
	if keys := c.keys(); len(keys) > 0 {
		return keys[0].Record.Epoch
	}
	return 0
}

// Close implements io.Closer. The keys stay in the store.
func (c *closed) Close() error {
	c.mu.Lock()
	circle := c.circle
	c.ended = true
	for door, stop := range c.doors {
		stop()
		delete(c.doors, door)
	}
	c.mu.Unlock()
	if circle != nil {
		c.keeper.Close(circle)
	}
	return nil
}

// namedAuthor reads the author that a frame names first, in its id. That from is
// the same is checked by [checkID].
func namedAuthor(frame []byte) (identity.PublicKey, error) {
	c := cursor{rest: frame}
	c.literal(frameHead)
	from := c.hex(keyDigits)
	if c.bad {
		return identity.PublicKey{}, errForm
	}
	return identity.ParsePublicKey(string(from))
}
