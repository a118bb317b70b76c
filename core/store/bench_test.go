package store_test

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"intercom/core/store"
)

func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, err := store.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			sp, n := s.Space("bench"), atomic.Uint64{}
			value := make([]byte, 200)
			b.SetParallelism((callers + 1) / 2) // times two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					batch := sp.Batch()
					batch.Set(binary.BigEndian.AppendUint64(nil, n.Add(1)), value)
					if err := batch.Commit(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for range b.N {
		s, err := store.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
