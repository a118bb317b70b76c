package attach

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"runtime"
	"testing"
)

// FuzzReadFrame: no bytes give a frame above the limit or a panic, and what was
// read is written and read again as the same.
func FuzzReadFrame(f *testing.F) {
	for _, h := range []header{{ID: 1, Now: true}, {Hello: &hello{Protocol: 1, Token: "t"}}, {ID: 2, Call: &call{Name: "ping"}}} {
		frame, _ := encodeFrame(h, []byte(`{"a":1}`))
		f.Add(frame)
	}
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		const limit = 1 << 10
		h, body, err := readFrame(bytes.NewReader(sent), limit)
		if err != nil {
			return
		}
		if len(body) > limit {
			t.Fatalf("a body of %d bytes", len(body))
		}
		frame, err := encodeFrame(h, body)
		if err != nil {
			t.Fatal(err)
		}
		again, same, err := readFrame(bytes.NewReader(frame), len(frame))
		a, _ := json.Marshal(h)
		b, _ := json.Marshal(again)
		if err != nil || !bytes.Equal(body, same) || !reflect.DeepEqual(a, b) {
			t.Fatalf("%s became %s: %v", a, b, err)
		}
	})
}

// TestAnnouncedBytesCostNothing: a length is believed only as bytes arrive.
func TestAnnouncedBytesCostNothing(t *testing.T) {
	announced := []byte{0, 0, 0, 2, 0x03, 0xff, 0xff, 0x00, '{', '}'}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := readFrame(bytes.NewReader(announced), answerLimit); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 512<<10 {
		t.Errorf("%d bytes for a frame that never came", took)
	}
}
