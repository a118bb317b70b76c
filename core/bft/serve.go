package bft

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"intercom/core/fault"
)

// Serve answers one follower's requests, in turn, until its stream ends, which
// is no error. A request that makes no sense ends it too. Whoever calls bounds
// how many streams are served, and sets their deadlines.
func (n *Node) Serve(ctx context.Context, stream io.ReadWriter) error {
	for ctx.Err() == nil {
		kind, body, err := readFrame(stream, n.requestLimit)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := n.answer(ctx, kind, body)
		if err == nil && len(answer) > limit(kind) {
			err = fault.New(fault.Limited, "an answer of %d bytes", len(answer))
		}
		if err != nil {
			n.log.Debug("a follower's request was refused", "kind", kind, "err", err)
			answer = nil
		}
		status := byte(statusOK)
		if err != nil {
			status = statusOf(err)
		}
		if err := writeFrame(stream, status, answer); err != nil {
			return err
		}
		if errors.Is(err, errMalformed) {
			return fault.New(fault.Invalid, "a request of kind %d: %w", kind, err)
		}
	}
	return ctx.Err()
}

func (n *Node) requestLimit(kind byte) int {
	switch kind {
	case askSubmit:
		return n.cfg.txBytes()
	case askQuery:
		return maxQuery
	case askPiece:
		return 8 + maxPlace
	default:
		return 32
	}
}

func (n *Node) answer(ctx context.Context, kind byte, body []byte) ([]byte, error) {
	r := &reader{rest: body}
	switch kind {
	case askTip:
		from := r.number()
		if err := r.end(); err != nil {
			return nil, err
		}
		return n.tip(from)
	case askHeader, askBlock, askListing:
		height := r.number()
		if err := r.end(); err != nil {
			return nil, err
		}
		switch kind {
		case askBlock:
			return n.EncodedBlock(height)
		case askListing:
			return n.Listing(height)
		}
		return n.SignedHeader(height)
	case askProof:
		hash := r.hash()
		if err := r.end(); err != nil {
			return nil, err
		}
		return n.Prove(hash)
	case askSubmit:
		return n.take(ctx, body)
	case askQuery:
		path := string(r.blob(maxPathName))
		queries, ok := n.cfg.App.(Queries)
		if r.bad || !ok {
			return nil, errMalformed
		}
		return queries.Query(path, r.rest)
	case askPiece:
		height := r.number()
		if r.bad {
			return nil, errMalformed
		}
		return n.servePiece(height, r.rest)
	case askGenesis:
		return n.cfg.Genesis.Encode(), r.end()
	default:
		return nil, errMalformed
	}
}

func (n *Node) tip(from int64) ([]byte, error) {
	updates, err := n.Updates(from, maxUpdates+1)
	if err != nil {
		return nil, err
	}
	more := byte(0)
	if len(updates) > maxUpdates {
		updates, more = updates[:maxUpdates], 1
	}
	n.mu.Lock()
	height := n.height
	n.mu.Unlock()
	signed, err := n.SignedHeader(height)
	if err != nil {
		return nil, err
	}
	out := []byte{byte(len(updates))}
	for _, update := range updates {
		out = putBlob(out, update)
	}
	return putBlob(append(out, more), signed), nil
}

func (n *Node) take(ctx context.Context, tx []byte) ([]byte, error) {
	if _, own := n.cfg.App.(Pool); own {
		return nil, errMalformed
	}
	result, err := n.submit(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(result.Log) > maxLog {
		result.Log = result.Log[:maxLog]
	}
	out := binary.BigEndian.AppendUint32(nil, result.Code)
	return putBlob(putBlob(out, result.Data), []byte(result.Log)), nil
}
