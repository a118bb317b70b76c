package merkle_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"intercom/core/merkle"
	"intercom/core/store"
)

// BenchmarkMap is the map on a disk with so many keys, changed 200 at a time: what
// a block of a hundred transfers does.
func BenchmarkMap(b *testing.B) {
	for name, size := range map[string]int{"keys=100k": 100_000, "keys=1M": 1_000_000} {
		if testing.Short() && size > 100_000 {
			continue
		}
		b.Run(name, func(b *testing.B) { benchmark(b, size) })
	}
}

func benchmark(b *testing.B, size int) {
	s, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	space := s.Space("tree")
	tree := merkle.Open(space, 8)
	value := make([]byte, 64)
	key := func(i int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i)) }
	version := uint64(0)
	write := func(keys func(set func(i int))) {
		u, err := tree.Update()
		if err != nil {
			b.Fatal(err)
		}
		version++
		binary.BigEndian.PutUint64(value, version)
		keys(func(i int) { u.Set(key(i), value) })
		batch := space.Batch()
		if _, err := u.Write(batch, version); err != nil {
			b.Fatal(err)
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	const block = 200
	b.Run("insert", func(b *testing.B) {
		const chunk = 10_000
		for range b.N {
			for from := 0; from < size; from += chunk {
				write(func(set func(int)) {
					for i := range chunk {
						set(from + i)
					}
				})
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*size)*1e6, "µs/key")
	})
	b.Run("update", func(b *testing.B) {
		for range b.N {
			write(func(set func(int)) {
				for range block {
					set(rand.IntN(size))
				}
			})
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*block)*1e6, "µs/key")
	})
	b.Run("get", func(b *testing.B) {
		v, _ := tree.Last()
		for range b.N {
			if _, ok, err := v.Get(key(rand.IntN(size))); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("prove and verify", func(b *testing.B) {
		v, _ := tree.Last()
		bytes := 0
		for range b.N {
			k := key(rand.IntN(size))
			value, _, proof, err := v.Prove(k)
			if err != nil {
				b.Fatal(err)
			}
			if err := merkle.VerifyPresent(v.Root(), k, value, proof); err != nil {
				b.Fatal(err)
			}
			bytes += len(proof)
		}
		b.ReportMetric(float64(bytes)/float64(b.N), "B/proof")
	})
}
