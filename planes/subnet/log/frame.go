package log

import (
	"encoding/binary"
	"io"

	"intercom/core/fault"
)

// A stream of the log is frames: kind u8 ‖ length u32 ‖ payload.
const (
	frameSnapshot = 1 // height u64 ‖ root: of the state that follows
	frameState    = 2 // a piece of the state
	frameRoll     = 3 // a roll
	frameEntry    = 4 // an entry
	frameEnd      = 5 // nothing
)

// maxFrame bounds a payload: the roll of the largest block, a state's largest
// value.
const maxFrame = 8 << 20

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	if _, err := w.Write(head); err != nil || len(payload) == 0 {
		return err // writing nothing into a pipe waits for a reader that never comes
	}
	_, err := w.Write(payload)
	return err
}

// readFrame reads one frame. The memory grows with what comes, not with what was
// announced.
func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, broken(err)
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxFrame {
		return 0, nil, malformed("a frame of %d bytes", size)
	}
	payload, err = io.ReadAll(io.LimitReader(r, int64(size)))
	if err == nil && len(payload) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, broken(err)
	}
	return head[0], payload, nil
}

func broken(err error) error {
	return fault.New(fault.Unavailable, "the other peer's stream ended: %w", err).WithHint("ask again, or another")
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Invalid, "the other peer sent "+format, args...).
		WithHint("it is broken or hostile: ask another")
}
