package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"intercom/planes/subnet/contract"
)

// A collection of many keys stays in order while whole ranges of it come and go, so
// that nodes of every level split and vanish.
func TestLargeCollectionsStayInOrder(t *testing.T) {
	c := contract.New("test", 1)
	c.Collection("l/")
	contract.Function(c, "put", "", func(call *contract.Call, keys []string) (any, error) {
		for _, key := range keys {
			call.Put(key, 1)
		}
		return nil, nil
	})
	contract.Function(c, "del", "", func(call *contract.Call, keys []string) (any, error) {
		for _, key := range keys {
			call.Del(key)
		}
		return nil, nil
	})
	contract.Function(c, "list", "", func(call *contract.Call, after string) (any, error) {
		got := []string{}
		call.Each("l/", after, func(key string, _ json.RawMessage) bool {
			got = append(got, key)
			return len(got) < 600
		})
		return got, nil
	})
	m, model, random := contract.NewMemory(), map[string]bool{}, rand.New(rand.NewPCG(1, 2))
	do := func(function string, from, to, step int) {
		for chunk := range slices.Chunk(span(from, to, step), 40) {
			text, _ := json.Marshal(chunk)
			if r := call(t, c, m, function, string(text)); r.Failure != "" {
				t.Fatal(r.Failure)
			}
			for _, key := range chunk {
				model[key] = true
				if function == "del" {
					delete(model, key)
				}
			}
		}
	}
	const most = 24_000
	do("put", 0, most, 2)
	for range 6 {
		from := random.IntN(most)
		do("del", from-from%2, min(from+2000, most), 2)
		do("put", from, min(from+300, most), 3)
		compareList(t, c, m, model)
	}
	do("del", 0, most, 1)
	compareList(t, c, m, model)
	do("put", most/2, most/2+5, 1)
	compareList(t, c, m, model)
}

func span(from, to, step int) (keys []string) {
	for n := from; n < to; n += step {
		keys = append(keys, fmt.Sprintf("l/%06d", n))
	}
	return keys
}

func compareList(t *testing.T, c *contract.Contract, m *contract.Memory, model map[string]bool) {
	t.Helper()
	var got []string
	for after := "l/"; ; after = got[len(got)-1] {
		text, _ := json.Marshal(after)
		r := call(t, c, m, "list", string(text))
		var page []string
		if err := json.Unmarshal(r.Value, &page); err != nil {
			t.Fatal(r.Failure, err)
		}
		if got = append(got, page...); len(page) < 600 {
			break
		}
	}
	if want := slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
		t.Fatalf("%d keys are listed, want %d", len(got), len(want))
	}
}
