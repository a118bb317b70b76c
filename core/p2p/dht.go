package p2p

import (
	"context"
	"errors"
	"sync"

	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	ma "github.com/multiformats/go-multiaddr"
)

// maxProviders bounds the advertisements that others may leave with us.
const maxProviders = 8192

// newDHT joins our own DHT: every peer serves it, private addresses count, and
// nothing but "who provides this" is stored.
func newDHT(net host.Host) (*dht.IpfsDHT, error) {
	return dht.New(net,
		dht.ProtocolPrefix("/intercom"),
		dht.Mode(dht.ModeServer),
		dht.DisableValues(),
		dht.ProviderDatastore(&providerStore{Batching: dssync.MutexWrap(ds.NewMapDatastore())}),
		dht.AddressFilter(func(addrs []ma.Multiaddr) []ma.Multiaddr { return addrs }),
	)
}

// newPublicDHT joins the public IPFS DHT as a client: it asks, but serves
// nobody. Its entry points are the ones that libp2p is built with.
func newPublicDHT(net host.Host) (*dht.IpfsDHT, error) {
	return dht.New(net, dht.Mode(dht.ModeClient), dht.BootstrapPeers(dht.GetDefaultBootstrapPeerAddrInfos()...))
}

// usePublicDHT meets peers over the public DHT as well, until ctx is done.
func (r *rendezvous) usePublicDHT(ctx context.Context, net host.Host) error {
	public, err := newPublicDHT(net)
	if err != nil {
		return err
	}
	defer public.Close()
	if err := public.Bootstrap(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	own := r.dhts
	r.dhts = append(own[:1:1], public)
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.dhts = own
	r.mu.Unlock()
	return nil
}

// providerStore is the memory for advertisements with an upper bound: beyond
// it, new ones are refused until old ones expire.
type providerStore struct {
	ds.Batching

	mu    sync.Mutex
	count int
}

var errProvidersFull = errors.New("too many advertisements")

// Put stores an advertisement.
func (p *providerStore) Put(ctx context.Context, key ds.Key, value []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, err := p.Has(ctx, key)
	if err != nil {
		return err
	}
	if !known && p.count >= maxProviders {
		return errProvidersFull
	}
	if err := p.Batching.Put(ctx, key, value); err != nil {
		return err
	}
	if !known {
		p.count++
	}
	return nil
}

// Delete removes an advertisement.
func (p *providerStore) Delete(ctx context.Context, key ds.Key) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, err := p.Has(ctx, key)
	if err != nil {
		return err
	}
	if err := p.Batching.Delete(ctx, key); err != nil {
		return err
	}
	if known {
		p.count--
	}
	return nil
}

// Batch is not offered: it would go past the bound.
func (p *providerStore) Batch(context.Context) (ds.Batch, error) { return nil, ds.ErrBatchUnsupported }
