package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// recordsProtocol hands out the signed peer records of those one is connected
// to: u16be length ‖ envelope, repeated until the stream ends. There is no
// request. It is also what tells a neighbour of our network from others.
const recordsProtocol = protocol.ID("/intercom/peers/1")

// Bounds of one answer.
const (
	maxRecords     = 64
	maxRecordBytes = 4096
	maxRecordAddrs = 24
)

// writeRecords sends at most maxRecords.
func writeRecords(w io.Writer, records [][]byte) error {
	var out []byte
	for i, rec := range records {
		if i == maxRecords {
			break
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(rec)))
		out = append(out, rec...)
	}
	_, err := w.Write(out)
	return err
}

// readRecords reads an answer. Records that do not verify are left out; an
// answer that is malformed or too long is an error, with what was good so far.
func readRecords(r io.Reader) ([]peer.AddrInfo, error) {
	var found []peer.AddrInfo
	for range maxRecords {
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err == io.EOF {
			return found, nil
		} else if err != nil {
			return found, err
		}
		n := binary.BigEndian.Uint16(size[:])
		if n == 0 || n > maxRecordBytes {
			return found, fmt.Errorf("a peer record of %d bytes", n)
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(r, raw); err != nil {
			return found, err
		}
		if info, err := openRecord(raw); err == nil {
			found = append(found, info)
		}
	}
	return found, nil
}

// openRecord verifies a signed peer record (libp2p RFC 3): the envelope's
// signature, and that it is the peer itself that signed. Addresses that we could
// not dial are left out.
func openRecord(raw []byte) (peer.AddrInfo, error) {
	if len(raw) > maxRecordBytes {
		return peer.AddrInfo{}, fmt.Errorf("a peer record of %d bytes", len(raw))
	}
	envelope, payload, err := record.ConsumeEnvelope(raw, peer.PeerRecordEnvelopeDomain)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	rec, ok := payload.(*peer.PeerRecord)
	if !ok {
		return peer.AddrInfo{}, errors.New("the envelope holds no peer record")
	}
	if _, ed25519 := keyOf(rec.PeerID); !ed25519 || !rec.PeerID.MatchesPublicKey(envelope.PublicKey) {
		return peer.AddrInfo{}, errors.New("the record is not signed by its peer")
	}
	info := peer.AddrInfo{ID: rec.PeerID, Addrs: dialable(rec.Addrs)}
	if len(info.Addrs) == 0 {
		return info, errors.New("the record has no address that can be dialled")
	}
	return info, nil
}

// dialable keeps the first addresses that are IP with TCP or QUIC. Names are
// left out: a record must not make us ask a name server.
func dialable(addrs []ma.Multiaddr) []ma.Multiaddr {
	var kept []ma.Multiaddr
	for _, a := range addrs {
		if len(kept) == maxRecordAddrs {
			break
		}
		if transportOf(a) != "" && startsWithIP(a) && !manet.IsIPUnspecified(a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// awayFromHome drops loopback addresses: what a neighbour on another machine
// tells of loopback is not ours.
func awayFromHome(addrs []ma.Multiaddr) []ma.Multiaddr {
	return ma.FilterAddrs(addrs, func(a ma.Multiaddr) bool { return !manet.IsIPLoopback(a) })
}
