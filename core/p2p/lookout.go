package p2p

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"
)

const (
	suspectQueue = 64
	suspectWait  = 2 * time.Second
	redialTick   = 100 * time.Millisecond
)

// lookout keeps what is known of neighbours true: it dials lost ones again, and
// it finds out which of two connections to one neighbour is dead. A process that
// was killed and started again comes back on a new connection long before QUIC
// gives up the old one, which would swallow frames until then.
type lookout struct {
	net      host.Host
	book     *book
	dialer   *dialer
	log      *slog.Logger
	suspects chan network.Conn
}

func newLookout(net host.Host, b *book, d *dialer, log *slog.Logger) *lookout {
	return &lookout{net: net, book: b, dialer: d, log: log, suspects: make(chan network.Conn, suspectQueue)}
}

// arrived suspects the older connections of a neighbour that made a new one.
func (l *lookout) arrived(fresh network.Conn, id peer.ID) {
	for _, conn := range l.net.Network().ConnsToPeer(id) {
		if conn != fresh && conn.Stat().Opened.Before(fresh.Stat().Opened) {
			select {
			case l.suspects <- conn:
			default: // it dies of its own timeout
			}
		}
	}
}

// redial dials lost neighbours until ctx is done.
func (l *lookout) redial(ctx context.Context) {
	for pause(ctx, redialTick) {
		for _, info := range l.book.due(time.Now()) {
			l.dialer.offer(info)
		}
	}
}

// examine closes suspects that do not answer, until ctx is done.
func (l *lookout) examine(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case conn := <-l.suspects:
			if !conn.IsClosed() && !answers(ctx, conn) && ctx.Err() == nil {
				l.log.Debug("dead connection closed", "peer", conn.RemotePeer(), "address", conn.RemoteMultiaddr())
				conn.Close()
			}
		}
	}
}

// answers sends one ping (libp2p ping 1.0.0) on this very connection.
func answers(ctx context.Context, conn network.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, suspectWait)
	defer cancel()
	s, err := conn.NewStream(network.WithAllowLimitedConn(ctx, "ping"))
	if err != nil {
		return false
	}
	defer s.Reset()
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	s.SetDeadline(time.Now().Add(suspectWait))
	if s.SetProtocol(ping.ID) != nil {
		return true // our own limit: it says nothing about the neighbour
	}
	if multistream.SelectProtoOrFail(ping.ID, s) != nil {
		return false
	}
	if _, err := s.Write(make([]byte, ping.PingSize)); err != nil {
		return false
	}
	_, err = io.ReadFull(s, make([]byte, ping.PingSize))
	return err == nil
}
