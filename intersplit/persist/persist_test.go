package persist

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"
)

func FuzzEntry(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add("!")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Entry(text)
		if err != nil {
			return
		}
		if raw, _ := base64.StdEncoding.DecodeString(text); !bytes.Equal(raw, e.Encode()) {
			t.Error("an entry has two texts")
		}
	})
}

func TestADamagedRoomIsAnErrorAndNoRoom(t *testing.T) {
	values := map[string]json.RawMessage{
		RoomKey("a"): json.RawMessage(`7`),
		RoomKey("b"): json.RawMessage(`{"channel":"b","parts":1}`),
		RoomKey("c"): json.RawMessage(`{"channel":"c","parts":0}`),
	}
	get := func(key string) (json.RawMessage, error) { return values[key], nil }
	for channel, want := range map[string]bool{"a": false, "b": false, "c": true, "none": false} {
		_, _, ok, err := Load(channel, get)
		if ok != want || (err == nil) != (channel == "c" || channel == "none") {
			t.Errorf("%s: %v, %v", channel, ok, err)
		}
	}
	if PartKey("a", 1) == PartKey("b", 1) || PartKey("a/b", 1) == PartKey("a", 1) {
		t.Error("a room reaches into another's")
	}
}
