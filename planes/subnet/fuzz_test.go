package subnet

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
)

// wire is a stream that has only been written by the other side.
type wire struct{ *bytes.Reader }

func (wire) Write(p []byte) (int, error) { return len(p), nil }
func (wire) Close() error                { return nil }
func (wire) CloseWrite() error           { return nil }
func (wire) Reset() error                { return nil }
func (wire) SetDeadline(time.Time) error { return nil }

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"version":1,"contract":"00","first":"AAAA"}` + "\n"))
	f.Add([]byte(`{"until":7,"sig":"00","height":1}` + "\n"))
	f.Add([]byte(`{"kind":"denied","error":"no","word":{}}` + "\n"))
	f.Add(bytes.Repeat([]byte{'x'}, maxMessage+2))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var g greeting
		if readMessage(wire{bytes.NewReader(raw)}, &g) == nil {
			_ = g.fits(greeting{Version: protocolVersion})
		}
		var v verdict
		if readMessage(wire{bytes.NewReader(raw)}, &v) == nil {
			_ = v.err(identity.PublicKey{})
		}
		if len(raw) > maxMessage+1 && bytes.IndexByte(raw, '\n') < 0 && readMessage(wire{bytes.NewReader(raw)}, &g) == nil {
			t.Error("a message that is too long is read")
		}
	})
}

func FuzzPushed(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1, 7})
	f.Add(binary.BigEndian.AppendUint32(nil, 1<<31))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := readPushed(bytes.NewReader(raw))
		if err == nil && len(entries) > maxPushed {
			t.Error("too many entries are read")
		}
		for _, e := range entries {
			if _, err := feed.Decode(e.Encode()); err != nil {
				t.Error(err)
			}
		}
	})
}
