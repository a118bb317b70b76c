package msb

import (
	"encoding/json"
	"testing"
)

func FuzzPlea(f *testing.F) {
	f.Add([]byte(`{"network":"n","to":"` + exampleAddress + `"}`))
	f.Add([]byte(`{"network":"n","to":""}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := decodePlea(raw, "n")
		if err != nil {
			return
		}
		again, err := json.Marshal(plea{Network: "n", To: key.Address()})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := decodePlea(again, "n"); err != nil || same != key {
			t.Fatalf("%q became %v, %v", raw, same, err)
		}
	})
}

func FuzzAlms(f *testing.F) {
	f.Add([]byte(`{"hash":"` + exampleHash + `"}`))
	f.Add([]byte(`{"kind":"limited","message":"no more","hint":"ask"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		id, err := decodeAlms(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(alms{Hash: id.String()})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := decodeAlms(again); err != nil || same != id {
			t.Fatalf("%q became %v, %v", raw, same, err)
		}
	})
}
