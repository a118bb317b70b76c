package subnet

import (
	"bufio"
	"context"
	"encoding/hex"
	"io"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// What streams are for. Their protocols carry the subnet's key, so that peers of
// other subnets are not disturbed.
const (
	helloProtocol    = "hello"    // a [greeting] each way
	pushProtocol     = "push"     // entries, one way
	tailProtocol     = "tail"     // log.Exchange and ServeExchange
	chainProtocol    = "chain"    // questions of those who follow
	engineProtocol   = "engine"   // two nodes
	snapshotProtocol = "snapshot" // a state for a newcomer
	joinProtocol     = "join"     // a request to write, and what came of it
	consentProtocol  = "consent"  // an indexer-to-be's word
)

// Bounds of what is carried, besides those of the host.
const (
	maxMessage           = 64 << 10
	maxPushed            = 1024 // entries in one stream
	maxPushedBytes int64 = 2 << 20
	streamTime           = 30 * time.Second
	pushTime             = 5 * time.Second
	sessionTime          = 5 * time.Minute
)

type stream = p2p.Stream

func (m *member) protocol(purpose string) string {
	return "/intercom/subnet/1/" + hex.EncodeToString(m.bootstrap[:]) + "/" + purpose
}

// talk opens a stream, has talk use it, and ends it. All of it takes at most
// streamTime.
func (m *member) talk(ctx context.Context, peer identity.PublicKey, purpose string, talk func(stream) error) error {
	return m.talkFor(ctx, streamTime, peer, purpose, talk)
}

func (m *member) talkFor(ctx context.Context, limit time.Duration, peer identity.PublicKey, purpose string, talk func(stream) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := m.plane.cfg.Network.Open(ctx, peer, m.protocol(purpose))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	if err := talk(s); err != nil {
		_ = s.Reset()
		return err
	}
	return s.Close()
}

// answer serves streams of a purpose, at most places of them at once, each for at
// most limit, while this member runs.
func (m *member) answer(purpose string, places int, limit time.Duration, serve func(ctx context.Context, remote identity.PublicKey, s stream) error) {
	taken := make(chan struct{}, places)
	m.plane.cfg.Network.Handle(m.protocol(purpose), func(ctx context.Context, remote identity.PublicKey, s stream) {
		if !m.enter() {
			_ = s.Reset()
			return
		}
		defer m.serving.Done()
		select {
		case taken <- struct{}{}:
			defer func() { <-taken }()
		default:
			_ = s.Reset() // it tries again later
			return
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		defer context.AfterFunc(m.over, cancel)()
		defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
		if err := serve(ctx, remote, s); err != nil {
			_ = s.Reset()
			m.logger.Debug("a stream ended", "purpose", purpose, "peer", remote, "err", err)
		}
	})
}

// enter takes part in the member's life, so that its end waits; false when it is
// over.
func (m *member) enter() bool {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.over.Err() != nil {
		return false
	}
	m.serving.Add(1)
	return true
}

// leave ends all streams that are served and waits for them.
func (m *member) leave() {
	m.gate.Lock()
	m.end()
	m.gate.Unlock()
	m.serving.Wait()
}

// serve answers other peers from now on.
func (m *member) serve() {
	m.answer(helloProtocol, 64, streamTime, m.serveHello)
	m.answer(pushProtocol, 64, streamTime, m.servePush)
	m.answer(tailProtocol, 32, streamTime, func(ctx context.Context, remote identity.PublicKey, s stream) error {
		return m.log.ServeExchange(ctx, s, remote)
	})
	m.answer(snapshotProtocol, 4, sessionTime, func(ctx context.Context, _ identity.PublicKey, s stream) error {
		return m.log.ServeSnapshot(ctx, s)
	})
	m.answer(joinProtocol, 16, streamTime, m.serveJoin)
	m.answer(consentProtocol, 4, streamTime, m.serveConsent)
	if m.node == nil {
		return
	}
	m.answer(chainProtocol, 128, streamTime, func(ctx context.Context, _ identity.PublicKey, s stream) error {
		return m.node.Serve(ctx, s)
	})
	m.answer(engineProtocol, 128, 365*24*time.Hour, func(ctx context.Context, _ identity.PublicKey, s stream) error {
		return m.node.Carry(ctx, s)
	})
}

func (m *member) serveHello(_ context.Context, remote identity.PublicKey, s stream) error {
	var theirs greeting
	if err := readMessage(s, &theirs); err != nil {
		return err
	}
	mine := m.greeting()
	if len(theirs.First) > 0 {
		mine.First = nil // it has one
	}
	if err := writeMessage(s, mine); err != nil {
		return err
	}
	if theirs.fits(mine) == nil && len(theirs.First) > 0 {
		m.near.note(remote, theirs, time.Now())
		signal(m.plane.poke)
	}
	return s.CloseWrite()
}

// readLine reads the one line that a side sends.
func readLine(from io.Reader, most int64) ([]byte, error) {
	in := bufio.NewReader(io.LimitReader(from, most+1))
	line, err := in.ReadBytes('\n')
	if int64(len(line)) > most {
		return nil, fault.New(fault.Invalid, "the peer sent a message of more than %d bytes", most)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the peer ended the stream: %v", err)
	}
	return line[:len(line)-1], nil
}
