package outbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// Put stores a transaction, which is then sent, and returns when it is on the disk.
// Sign makes it; it is called only for a new one. With a key, which belongs to
// this outbox, content says what the call asks for: the same content gives the
// transaction made before, however far it came, other content is a
// [fault.Conflict]. When too many have not ended it is [fault.Limited].
//
// After an error of the disk the transaction may be there and be sent after the
// next start: who calls again with the same key makes no second one.
func (o *Outbox) Put(ctx context.Context, key string, content []byte, sign func() (*bus.Signed, error)) (Entry, error) {
	if len(key) > MaxKey {
		return Entry{}, fault.New(fault.Invalid, "a key of %d bytes", len(key)).WithHint("one has at most %d", MaxKey)
	}
	release, err := o.claim(ctx, key)
	if err != nil {
		return Entry{}, err
	}
	defer release()
	sum := sha256.Sum256(content)
	if key != "" {
		if id, known, err := o.shelf.keyed(key, sum); known || err != nil {
			if err != nil {
				return Entry{}, err
			}
			return o.Get(id)
		}
	}
	number, err := o.reserve()
	if err != nil {
		return Entry{}, err
	}
	e, err := o.create(number, key, sum, sign)
	if err != nil {
		o.mu.Lock()
		o.places--
		o.mu.Unlock()
	}
	return e, err
}

// claim waits until no other call makes a transaction for that key.
func (o *Outbox) claim(ctx context.Context, key string) (release func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	for {
		o.mu.Lock()
		other := o.making[key]
		if other == nil {
			done := make(chan struct{})
			o.making[key] = done
			o.mu.Unlock()
			return func() { o.unclaim(key, done) }, nil
		}
		o.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("another call with key %q is under way: %w", key, ctx.Err())
		}
	}
}

func (o *Outbox) unclaim(key string, done chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.making, key)
	close(done)
}

// reserve takes a place and a number.
func (o *Outbox) reserve() (number uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.places >= o.cfg.Pending {
		return 0, fault.New(fault.Limited, "%d transactions have not ended", o.places).
			WithHint("wait until some are confirmed or expired; the network's health says why they are not")
	}
	o.places++
	o.number++
	return o.number - 1, nil
}

func (o *Outbox) create(number uint64, key string, content [sha256.Size]byte, sign func() (*bus.Signed, error)) (Entry, error) {
	signed, err := sign()
	if err != nil {
		return Entry{}, err
	}
	e, err := o.entry(signed, key)
	if err != nil {
		return Entry{}, err
	}
	if err := o.shelf.add(number, e, content); err != nil {
		return Entry{}, err
	}
	o.mu.Lock()
	f := o.track(number, e, false)
	o.mu.Unlock()
	o.cfg.OnChange(e)
	o.mu.Lock()
	o.queue.add(f)
	o.mu.Unlock()
	o.signal()
	return e, nil
}

// entry refuses what no node would take: it would rest here for ever.
func (o *Outbox) entry(signed *bus.Signed, key string) (Entry, error) {
	raw := signed.Encode()
	decoded, result := bus.Decode(raw)
	if result.Code != bus.OK {
		return Entry{}, fault.New(fault.Invalid, "the transaction has no valid form: %s", result.Text).
			WithHint("correct its fields: %s", result.Code)
	}
	if decoded.Network != o.cfg.Network {
		return Entry{}, fault.New(fault.Invalid, "the transaction is for network %q, not for %q", decoded.Network, o.cfg.Network).
			WithHint("sign it for this network")
	}
	if _, err := o.Get(decoded.ID); err == nil {
		return Entry{}, fault.New(fault.Conflict, "transaction %s is here already", decoded.ID).
			WithHint("make it with a nonce of its own")
	}
	e := entryOf(decoded, raw)
	e.Key = key
	e.Created = time.Now().UTC().Truncate(time.Millisecond)
	e.Changed = e.Created
	return e, nil
}
