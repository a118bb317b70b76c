package feed_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// onDisk opens feeds in a real directory.
func onDisk(b *testing.B) *feed.Feeds {
	b.Helper()
	s, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return open(b, s)
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			f, who, body := onDisk(b), author(1), make([]byte, 200)
			b.SetParallelism((callers + 1) / 2) // times two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := f.Append(context.Background(), room, who, body, time.Now()); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkVerifyAlone(b *testing.B) {
	who := author(1)
	message := make([]byte, 400)
	key, sig := who.PublicKey(), who.Sign(message)
	for range b.N {
		if !ed25519.Verify(key[:], message, sig) {
			b.Fatal("no")
		}
	}
}

func BenchmarkAddAll(b *testing.B) {
	entries := history(b, b.N)
	f := onDisk(b)
	b.ResetTimer()
	for ; len(entries) > 0; entries = entries[min(len(entries), 1024):] {
		if _, err := f.AddAll(context.Background(), entries[:min(len(entries), 1024)], identity.PublicKey{}, start); err != nil {
			b.Fatal(err)
		}
	}
}
