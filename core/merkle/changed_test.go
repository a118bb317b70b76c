package merkle_test

import (
	"fmt"
	"testing"

	"intercom/core/merkle"
	"intercom/core/store"
)

func TestChangedVisitsWhatAnUpdateSetsAndDeletes(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u, err := merkle.Open(s.Space("map"), 1).Update()
	if err != nil {
		t.Fatal(err)
	}
	u.Set([]byte("a"), []byte("1"))
	u.Set([]byte("a"), []byte("2"))
	u.Set([]byte("b"), []byte("3"))
	u.Delete([]byte("b"))
	got := map[string]string{}
	u.Changed(func(key, value []byte, deleted bool) { got[string(key)] = fmt.Sprintf("%s %t", value, deleted) })
	if len(got) != 2 || got["a"] != "2 false" || got["b"] != " true" {
		t.Errorf("%v", got)
	}
}
