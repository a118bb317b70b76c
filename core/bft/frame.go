package bft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"intercom/core/fault"
)

// The stream protocol: requests and answers take turns, each a frame with its
// length before it (u32be). A request begins with its kind, an answer with its
// status; what follows is named beside the kinds.
const (
	askTip     = 1 // height u64         → updates u8 ‖ blob* ‖ more u8 ‖ blob signed header of the newest block
	askHeader  = 2 // height u64         → signed header
	askProof   = 3 // tx hash            → proof
	askBlock   = 4 // height u64         → block, see encodeBlock
	askSubmit  = 5 // tx                 → code u32 ‖ blob data ‖ blob log
	askQuery   = 6 // blob path ‖ data   → what the application answers
	askGenesis = 7 // nothing            → genesis
	askPiece   = 8 // height u64 ‖ after → more u8 ‖ blob next ‖ blob piece of the application's state
	askListing = 9 // height u64         → block with its results, see Node.Listing
)

const (
	statusOK = iota
	statusNotFound
	statusLimited
	statusUnavailable
	statusInvalid
)

// Limits of the protocol. MaxAnswer bounds what an application answers.
const (
	MaxAnswer   = 1 << 20
	maxQuery    = 64 << 10
	maxPathName = 256
	maxUpdates  = 16 // in one answer
	maxUpdate   = maxSigned + MaxValidators*40 + 16
	maxLog      = 1 << 10
)

// limit is the largest answer to a request of that kind.
func limit(kind byte) int {
	switch kind {
	case askTip:
		return maxUpdates*(maxUpdate+4) + maxSigned + 16
	case askHeader:
		return maxSigned
	case askProof:
		return maxProof
	case askBlock:
		return maxBlock
	case askSubmit:
		return maxData + maxLog + 16
	case askQuery:
		return MaxAnswer
	case askPiece:
		return MaxPiece + maxPlace + 16
	case askListing:
		return maxListing
	default:
		return MaxGenesis
	}
}

func writeFrame(w io.Writer, head byte, body []byte) error {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 5+len(body)), uint32(1+len(body)))
	_, err := w.Write(append(append(out, head), body...))
	return err
}

// readFrame reads one frame. The memory it takes grows with what has come, not
// with what was announced.
func readFrame(r io.Reader, most func(head byte) int) (head byte, body []byte, err error) {
	var start [5]byte
	if _, err := io.ReadFull(r, start[:4]); err != nil {
		return 0, nil, err
	}
	length := int64(binary.BigEndian.Uint32(start[:])) - 1
	if length < 0 {
		return 0, nil, fault.New(fault.Limited, "an empty frame").WithHint("a frame has at least one byte")
	}
	if _, err := io.ReadFull(r, start[4:]); err != nil {
		return 0, nil, fmt.Errorf("in a frame: %w", err)
	}
	head = start[4]
	if length > int64(most(head)) {
		return 0, nil, fault.New(fault.Limited, "a frame of %d bytes", length).WithHint("the limit is %d", most(head))
	}
	var buffer bytes.Buffer
	if _, err := io.CopyN(&buffer, r, length); err != nil {
		return 0, nil, fmt.Errorf("in a frame of %d bytes: %w", length, err)
	}
	return head, buffer.Bytes(), nil
}

// statusOf is an error as a status; its text stays here.
func statusOf(err error) byte {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return statusNotFound
	case fault.Limited:
		return statusLimited
	case fault.Invalid:
		return statusInvalid
	default:
		return statusUnavailable
	}
}

// errorOf is a status as an error.
func errorOf(status byte) error {
	switch status {
	case statusOK:
		return nil
	case statusNotFound:
		return fault.New(fault.NotFound, "the server does not have it").WithHint("ask again later, or another server")
	case statusLimited:
		return fault.New(fault.Limited, "the server has too much to do").WithHint("ask again later, or another server")
	case statusInvalid:
		return fault.New(fault.Invalid, "the server refused the request").WithHint("correct it")
	default:
		return fault.New(fault.Unavailable, "the server cannot answer now").WithHint("ask again later, or another server")
	}
}
