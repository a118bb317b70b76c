package sidechannel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// receiptProtocol asks a member whether it has a message. The question names
// neither channel nor message: 32 bytes of a hash, u32 how many ms to wait. The
// answer is u64 when it was delivered, in ms, and the member's signature over
// hash and time. Only the author of a message gets an answer.
const receiptProtocol = "/intercom/sidechannel/receipt/1"

const (
	maxAcks       = 8192             // messages that can be acknowledged, the latest
	maxAckWait    = 60 * time.Second // for one to arrive
	ackTimeout    = 10 * time.Second // for the stream itself
	receiptsBytes = 8 + 64
)

// receipt is a member's word that a message was delivered to it.
type receipt struct {
	Peer string `json:"peer" jsonschema:"public key of the member that has the message, hex"`
	TS   int64  `json:"ts" jsonschema:"when it was delivered there, by that member's clock, ms since 1970"`
}

// question names a message so that only who has it recognises it.
func question(channel string, id string) [32]byte {
	return sha256.Sum256(canon.Preimage("intercom/sc/ask/v1", []byte(channel), []byte(id)))
}

// acks remembers what was delivered, for authors that ask.
type acks struct {
	mu    sync.Mutex
	had   map[[32]byte]delivered
	order [][32]byte // oldest first
	news  chan struct{}
}

type delivered struct {
	author identity.PublicKey
	at     time.Time
}

func newAcks() *acks { return &acks{had: map[[32]byte]delivered{}, news: make(chan struct{})} }

// arrived notes a delivered message and wakes who waits.
func (a *acks) arrived(m *Message, now time.Time) {
	ask := question(m.Channel, m.ID)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.order) >= maxAcks {
		delete(a.had, a.order[0])
		a.order = a.order[1:]
	}
	a.had[ask] = delivered{m.From, now}
	a.order = append(a.order, ask)
	close(a.news)
	a.news = make(chan struct{})
}

// wait gives when a message of an author was delivered, once it was.
func (a *acks) wait(ctx context.Context, ask [32]byte, author identity.PublicKey) (at time.Time, ok bool) {
	for {
		a.mu.Lock()
		d, had := a.had[ask]
		news := a.news
		a.mu.Unlock()
		if had {
			return d.at, d.author == author
		}
		select {
		case <-news:
		case <-ctx.Done():
			return time.Time{}, false
		}
	}
}

// serve answers questions of other peers from now on.
func (p *Plane) serve() {
	p.net.Handle(receiptProtocol, p.acknowledge)
}

// acknowledge answers one question.
func (p *Plane) acknowledge(ctx context.Context, remote identity.PublicKey, s p2p.Stream) {
	defer s.Close()
	if s.SetDeadline(time.Now().Add(ackTimeout)) != nil {
		return
	}
	var asked [36]byte
	if _, err := io.ReadFull(s, asked[:]); err != nil {
		return
	}
	wait := min(time.Duration(binary.BigEndian.Uint32(asked[32:]))*time.Millisecond, maxAckWait)
	if s.SetDeadline(time.Now().Add(wait+ackTimeout)) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	at, ok := p.acks.wait(ctx, [32]byte(asked[:32]), remote)
	if !ok {
		return // no answer is the honest one
	}
	ms := uint64(at.UnixMilli())
	answer := binary.BigEndian.AppendUint64(nil, ms)
	s.Write(append(answer, p.signer.Sign(receiptBase([32]byte(asked[:32]), ms))...)) //nolint:errcheck // the asker is gone, or not
}

func receiptBase(ask [32]byte, ms uint64) []byte {
	return canon.Preimage("intercom/sc/receipt/v1", ask[:], binary.BigEndian.AppendUint64(nil, ms))
}

// collect asks members whether they have a message, all at once, and gives the
// receipts that came before the wait is over, in the order of the members.
func (p *Plane) collect(ctx context.Context, ask [32]byte, members []identity.PublicKey, wait time.Duration) []receipt {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	got := make([]int64, len(members))
	var asking sync.WaitGroup
	for i, member := range members {
		asking.Go(func() { got[i] = p.askFor(ctx, ask, member, wait) })
	}
	asking.Wait()
	receipts := []receipt{}
	for i, ts := range got {
		if ts > 0 {
			receipts = append(receipts, receipt{Peer: members[i].String(), TS: ts})
		}
	}
	return receipts
}

// askFor gives when a member had the message, 0 when it did not say so in time.
func (p *Plane) askFor(ctx context.Context, ask [32]byte, member identity.PublicKey, wait time.Duration) int64 {
	s, err := p.net.Open(ctx, member, receiptProtocol)
	if err != nil {
		return 0
	}
	defer context.AfterFunc(ctx, func() { s.Reset() })() //nolint:errcheck // it is over either way
	defer s.Reset()                                      //nolint:errcheck // nothing more is said
	asked := binary.BigEndian.AppendUint32(ask[:], uint32(wait.Milliseconds()))
	if _, err := s.Write(asked); err != nil {
		return 0
	}
	var answer [receiptsBytes]byte
	if _, err := io.ReadFull(s, answer[:]); err != nil {
		return 0
	}
	ms := binary.BigEndian.Uint64(answer[:8])
	if ms == 0 || ms > 1<<53 || !identity.Verify(member, receiptBase(ask, ms), answer[8:]) {
		return 0
	}
	return int64(ms)
}
