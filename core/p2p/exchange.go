package p2p

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
)

// A new neighbour is asked whom it knows at once and again after these pauses:
// others may be arriving there at the same moment. From then on one neighbour at
// random is asked now and then.
var askAgain = []time.Duration{400 * time.Millisecond, 1200 * time.Millisecond}

const (
	askEvery   = 15 * time.Second
	askTimeout = 5 * time.Second
	askQueue   = 256
	askAtOnce  = 4 // so that one that does not answer delays nobody

	// wanted is how many neighbours a host looks for on its own. Beyond it only
	// those are dialled that are needed: entry points, members, lost ones.
	wanted = 48
)

// exchange lets connected peers tell each other whom they know. Every record is
// signed by the peer that it is about; what cannot be dialled does no harm.
type exchange struct {
	net    host.Host
	book   *book
	dialer *dialer
	roster *roster
	log    *slog.Logger
	fresh  chan peer.ID // new neighbours
	turns  chan peer.ID // who is to be asked now
}

func newExchange(net host.Host, b *book, d *dialer, r *roster, log *slog.Logger) *exchange {
	return &exchange{
		net: net, book: b, dialer: d, roster: r, log: log,
		fresh: make(chan peer.ID, askQueue), turns: make(chan peer.ID, askQueue),
	}
}

// arrived notes a new neighbour, from the roster's loop.
func (x *exchange) arrived(id peer.ID) {
	select {
	case x.fresh <- id:
	default:
	}
}

// serve answers whoever asks, over a libp2p stream.
func (x *exchange) serve(s network.Stream) {
	s.SetDeadline(time.Now().Add(askTimeout))
	if err := writeRecords(s, x.book.records(s.Conn().RemotePeer())); err != nil {
		s.Reset()
		return
	}
	s.Close()
}

// run asks until ctx is done.
func (x *exchange) run(ctx context.Context) {
	var askers sync.WaitGroup
	defer askers.Wait()
	for range askAtOnce {
		askers.Go(func() { x.askInTurn(ctx) })
	}
	type appointment struct {
		id peer.ID
		at time.Time
	}
	var diary []appointment
	chance := time.Now().Add(jitter(askEvery))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-x.fresh:
			x.turn(id)
			for _, after := range askAgain {
				if len(diary) < askQueue {
					diary = append(diary, appointment{id, time.Now().Add(after)})
				}
			}
		case now := <-tick.C:
			diary = slices.DeleteFunc(diary, func(a appointment) bool {
				due := !now.Before(a.at)
				if due {
					x.turn(a.id)
				}
				return due
			})
			if now.After(chance) {
				chance = now.Add(jitter(askEvery))
				x.askByChance()
			}
		}
	}
}

func (x *exchange) askByChance() {
	if ids := x.roster.connected(); len(ids) > 0 {
		x.turn(ids[rand.IntN(len(ids))])
	}
}

// turn queues a neighbour; when the queue is full it is asked by chance later.
func (x *exchange) turn(id peer.ID) {
	select {
	case x.turns <- id:
	default:
	}
}

func (x *exchange) askInTurn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-x.turns:
			x.ask(ctx, id)
		}
	}
}

// ask learns whom a neighbour knows and offers them to the dialer, as long as
// more neighbours are wanted.
func (x *exchange) ask(ctx context.Context, id peer.ID) {
	missing := wanted - len(x.roster.connected())
	if missing <= 0 || !x.dialer.connected(id) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := x.net.NewStream(network.WithNoDial(ctx, "ask"), id, recordsProtocol)
	if err != nil {
		return
	}
	defer s.Reset()
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	s.SetDeadline(time.Now().Add(askTimeout))
	found, err := readRecords(s)
	if err != nil {
		x.log.Debug("neighbour answered badly whom it knows", "peer", id, "error", err)
	}
	home := manet.IsIPLoopback(s.Conn().RemoteMultiaddr())
	for _, info := range found {
		if missing == 0 {
			return
		}
		if !home {
			info.Addrs = awayFromHome(info.Addrs)
		}
		if !x.dialer.connected(info.ID) {
			x.dialer.offer(info)
			missing--
		}
	}
}
