package bft

import (
	"encoding/binary"

	"intercom/core/fault"
)

// Snapshots is an application whose state a newcomer takes over in pieces, so
// that it need not execute every block since the genesis.
type Snapshots interface {
	// Piece is a part of the state after the block of that height: what lies
	// behind after, which is nil at first, and where to go on, nil at the end.
	// It has at most MaxPiece bytes, and at least one unless the state has
	// none. A height whose state is not kept is [fault.NotFound]; one that was
	// asked for should be kept until nobody has asked for a while. It may be called at
	// any time, also two at a time.
	Piece(height int64, after []byte) (piece, next []byte, err error)

	// Restore makes an application that stands at height 0 of the chain with
	// that genesis the one after that block; Init may not have been called.
	// next gives piece after piece, nil at the end; its errors are handed
	// back. Only if what came is exactly the state of that hash it becomes the
	// application's, lasting before Restore returns; otherwise, which is
	// [fault.Invalid], or when the process ends, Last goes on telling height 0.
	Restore(g Genesis, height int64, state Hash, next func() ([]byte, error)) error
}

// Limits of a snapshot. A state above MaxSnapshot cannot be taken over: it is
// what a lying server may make a newcomer store before the lie shows.
const (
	MaxPiece    = 512 << 10
	MaxSnapshot = 4 << 30
	maxPlace    = 1 << 10 // what names the place to go on
)

// servePiece answers: more u8 ‖ blob next ‖ blob piece.
func (n *Node) servePiece(height int64, after []byte) ([]byte, error) {
	app, ok := n.cfg.App.(Snapshots)
	if !ok {
		return nil, fault.New(fault.NotFound, "the application has no snapshots").WithHint("replay the blocks")
	}
	if len(after) == 0 {
		after = nil
	}
	piece, next, err := app.Piece(height, after)
	if err != nil {
		return nil, err
	}
	if len(piece) > MaxPiece || len(next) > maxPlace {
		return nil, fault.New(fault.Limited, "a piece of %d bytes", len(piece)).WithHint("the limit is %d", MaxPiece)
	}
	more := byte(0)
	if next != nil {
		more = 1
	}
	return putBlob(putBlob([]byte{more}, next), piece), nil
}

func askPlace(height int64, after []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(height)), after...)
}

// decodePiece gives a nil next at the end.
func decodePiece(raw []byte) (piece, next []byte, err error) {
	r := &reader{rest: raw}
	more := r.u8()
	next, piece = r.blob(maxPlace), r.blob(MaxPiece)
	if more > 1 || (more == 1) != (len(next) > 0) || (more == 1 && len(piece) == 0) {
		r.bad = true
	}
	if more == 0 {
		next = nil
	}
	return piece, next, r.end()
}
