package attach

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"intercom/core/event"
	"intercom/core/fault"
)

// A frame is two lengths of four bytes, big endian, a header of JSON, and a
// body that is passed on as it is: parameters, results, lists. Parameters may
// be no JSON at all; it is the registry that says so.

// The bounds of one frame, header and body together, in bytes.
const (
	greetingLimit = 4 << 10  // before the token was shown
	requestLimit  = 16 << 20 // above what any surface takes
	answerLimit   = 64 << 20
)

// header is the first part of every frame. A request has an ID and one of its
// members; the answer has the same ID.
type header struct {
	ID uint64 `json:"id,omitempty"`

	Hello  *hello   `json:"hello,omitempty"`  // the first frame of a client
	Call   *call    `json:"call,omitempty"`   // parameters in the body
	Read   *read    `json:"read,omitempty"`   // wait for events
	Now    bool     `json:"now,omitempty"`    // ask for the cursor
	Cancel bool     `json:"cancel,omitempty"` // the request with this ID; not answered itself
	Left   *leaving `json:"left,omitempty"`   // a client name is not used any more; not answered

	Welcome *welcome     `json:"welcome,omitempty"` // the answer to hello; operations in the body
	Text    string       `json:"text,omitempty"`    // of a reply, beside the value in the body
	Cursor  event.Cursor `json:"cursor,omitempty"`
	Fault   *fault.Error `json:"fault,omitempty"`
}

type (
	hello struct {
		Protocol int    `json:"protocol"`
		Token    string `json:"token"`
	}
	call struct {
		Name   string `json:"name"`
		Grant  int    `json:"grant"` // an op.Access
		Client string `json:"client,omitempty"`
		Text   bool   `json:"text,omitempty"`
	}
	read struct {
		After event.Cursor `json:"after"`
		Limit int          `json:"limit"`
	}
	leaving struct {
		Client string `json:"client"`
	}
	welcome struct {
		Protocol int    `json:"protocol"`
		Instance string `json:"instance"`
	}
)

var errFrame = errors.New("attach: a frame is larger than it may be")

// encodeFrame makes the bytes of a frame.
func encodeFrame(h header, body []byte) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, 8+len(head)+len(body))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(head)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(body)))
	return append(append(frame, head...), body...), nil
}

// readFrame reads a frame of at most limit bytes. Memory grows with what
// arrives, not with what is announced.
func readFrame(r io.Reader, limit int) (header, []byte, error) {
	var h header
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return h, nil, err
	}
	head := int64(binary.BigEndian.Uint32(lengths[:4]))
	body := int64(binary.BigEndian.Uint32(lengths[4:]))
	if head+body > int64(limit) {
		return h, nil, errFrame
	}
	var buf bytes.Buffer
	buf.Grow(int(min(head+body, 64<<10)))
	if _, err := io.CopyN(&buf, r, head+body); err != nil {
		return h, nil, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(buf.Next(int(head)), &h); err != nil {
		return h, nil, fmt.Errorf("attach: a header is not readable: %w", err)
	}
	return h, buf.Bytes(), nil
}
