package merkle_test

import (
	"fmt"
	"maps"
	"testing"

	"intercom/core/merkle"
	"intercom/core/store"
)

// Wherever the power is cut, the map is whole: one of the versions that were
// written, not older than the last that was acknowledged.
func TestACutOfPowerLeavesAWholeVersion(t *testing.T) {
	disk := store.NewDisk()
	s, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	space := s.Space("tree")
	tree := merkle.Open(space, 2)
	content := map[string]string{}
	versions := []map[string]string{{}}
	for i := range 20 {
		u, err := tree.Update()
		if err != nil {
			t.Fatal(err)
		}
		for j := range 8 {
			key, value := fmt.Sprint("key ", (i*5+j)%30), fmt.Sprint("value ", i)
			if j == 0 {
				u.Delete([]byte(key))
				delete(content, key)
				continue
			}
			u.Set([]byte(key), []byte(value))
			content[key] = value
		}
		batch := space.Batch()
		if _, err := u.Write(batch, uint64(i+1)); err != nil {
			t.Fatal(err)
		}
		acknowledged := i
		if i%3 == 0 {
			err, acknowledged = batch.Commit(), i+1
		} else {
			err, acknowledged = batch.Apply(), i/3*3+1
		}
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, maps.Clone(content))
		for seed := range uint64(4) {
			checkCrashed(t, disk.Crash(seed), versions, uint64(acknowledged))
		}
	}
}

func checkCrashed(t *testing.T, disk *store.Disk, versions []map[string]string, atLeast uint64) {
	t.Helper()
	s, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := merkle.Open(s.Space("tree"), 2).Last()
	if err != nil || v.Version() < atLeast || v.Version() >= uint64(len(versions)) {
		t.Fatalf("version %d of %d after the cut, %d acknowledged: %v", v.Version(), len(versions)-1, atLeast, err)
	}
	check(t, v, versions[v.Version()], "never")
}
