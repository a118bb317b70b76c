package p2p

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	protector "github.com/libp2p/go-libp2p/p2p/net/pnet"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"
)

const proveTimeout = 3 * time.Second

// prove learns which key listens at a TCP endpoint: it opens a connection,
// agrees on Noise, lets the other side prove its key, and closes. Our own side
// uses a key made for the occasion, so that nobody learns ours by listening on a
// port. The address is the one that was reached, with names resolved.
func prove(ctx context.Context, hostport string, psk pnet.PSK) (peer.AddrInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, proveTimeout)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", hostport)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	defer raw.Close()
	// Cancelling must end the handshake, whoever is silent on the other side.
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	if tcp, ok := raw.(*net.TCPConn); ok {
		tcp.SetLinger(0) // leave no TIME_WAIT behind: ports are asked often
	}
	addr, err := manet.FromNetAddr(raw.RemoteAddr())
	if err != nil {
		return peer.AddrInfo{}, err
	}
	id, err := proveOver(ctx, raw, psk)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("%s does not prove a key: %w", hostport, err)
	}
	return peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{addr}}, nil
}

func proveOver(ctx context.Context, conn net.Conn, psk pnet.PSK) (peer.ID, error) {
	if psk != nil {
		var err error
		if conn, err = protector.NewProtectedConn(psk, conn); err != nil {
			return "", err
		}
	}
	if err := multistream.SelectProtoOrFail(noise.ID, conn); err != nil {
		return "", err
	}
	passing, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return "", err
	}
	transport, err := noise.New(noise.ID, passing, nil)
	if err != nil {
		return "", err
	}
	session, err := transport.WithSessionOptions(noise.DisablePeerIDCheck())
	if err != nil {
		return "", err
	}
	secured, err := session.SecureOutbound(ctx, conn, "")
	if err != nil {
		return "", err
	}
	id := secured.RemotePeer()
	if _, ok := keyOf(id); !ok {
		return "", fmt.Errorf("%s is not the id of an ed25519 key", id)
	}
	return id, nil
}
