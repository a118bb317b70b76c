package p2p

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/multiformats/go-multihash"
)

// How often a namespace is advertised and searched: soon after it is new, then
// ever less often.
const (
	meetFirst   = 2 * time.Second
	meetMost    = 3 * time.Minute
	meetTimeout = 20 * time.Second
	meetAtOnce  = 4  // namespaces worked on at a time
	meetFound   = 32 // peers taken from one search
	meetTick    = 250 * time.Millisecond
)

// rendezvous lets peers meet under a namespace in the DHT. Without a neighbour
// that speaks DHT it only waits, which costs nothing.
type rendezvous struct {
	dialer *dialer
	log    *slog.Logger

	mu    sync.Mutex
	dhts  []*dht.IpfsDHT // ours, and the public one when it is asked for
	spots map[[32]byte]*spot
}

// spot is one namespace.
type spot struct {
	key     cid.Cid
	users   int // calls of Rendezvous that have not been stopped
	busy    bool
	rounds  int // since the DHT had its present size
	reached int // DHT neighbours at the last round
	due     time.Time
}

func newRendezvous(own *dht.IpfsDHT, d *dialer, log *slog.Logger) *rendezvous {
	return &rendezvous{dialer: d, log: log, dhts: []*dht.IpfsDHT{own}, spots: map[[32]byte]*spot{}}
}

// Rendezvous advertises this host under a namespace in the DHT, and connects to
// others that do, until stop is called or the host closes. It works while
// [Host.Run] runs. Whoever knows the namespace can see who meets there.
func (h *Host) Rendezvous(ns [32]byte) (stop func()) { return h.rendezvous.add(ns) }

func (r *rendezvous) add(ns [32]byte) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.spots[ns]
	if s == nil {
		s = &spot{key: spotKey(ns)}
		r.spots[ns] = s
	}
	s.users++
	var once sync.Once
	return func() {
		once.Do(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if s.users--; s.users == 0 {
				delete(r.spots, ns)
			}
		})
	}
}

// spotKey spells a namespace, a hash already, as the CID of raw bytes.
func spotKey(ns [32]byte) cid.Cid {
	hash, err := multihash.Encode(ns[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // 32 bytes and a known code cannot fail
	}
	return cid.NewCidV1(cid.Raw, hash)
}

// run works on namespaces that are due until ctx is done.
func (r *rendezvous) run(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, meetAtOnce)
	for pause(ctx, meetTick) {
		for _, s := range r.due(time.Now(), meetAtOnce-len(slots)) {
			slots <- struct{}{}
			workers.Go(func() {
				r.meet(ctx, s.key)
				r.mu.Lock()
				s.busy = false
				r.mu.Unlock()
				<-slots
			})
		}
	}
}

// due takes at most n namespaces whose time has come. When the DHT grew, all
// are due: whom one looks for may be behind the new neighbour.
func (r *rendezvous) due(now time.Time, n int) []*spot {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := 0
	for _, d := range r.dhts {
		size += d.RoutingTable().Size()
	}
	if size == 0 {
		return nil
	}
	var due []*spot
	for _, s := range r.spots {
		if len(due) >= n {
			break
		}
		if s.busy || size <= s.reached && now.Before(s.due) {
			continue
		}
		if size > s.reached {
			s.rounds = 0
		}
		s.busy, s.reached = true, size
		s.due = now.Add(jitter(backoff(meetFirst, meetMost, s.rounds)))
		s.rounds++
		due = append(due, s)
	}
	return due
}

// meet advertises and searches once in every DHT.
func (r *rendezvous) meet(ctx context.Context, key cid.Cid) {
	ctx, cancel := context.WithTimeout(ctx, meetTimeout)
	defer cancel()
	r.mu.Lock()
	dhts := append([]*dht.IpfsDHT(nil), r.dhts...)
	r.mu.Unlock()
	for _, d := range dhts {
		if d.RoutingTable().Size() == 0 {
			continue
		}
		if err := d.Provide(ctx, key, true); err != nil {
			r.log.Debug("rendezvous not advertised", "error", err)
		}
		for info := range d.FindProvidersAsync(ctx, key, meetFound) {
			r.dialer.offer(info)
		}
	}
}
